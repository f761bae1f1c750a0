"""How a platform's own colour and logo become part of every page. Nothing inline, and legible whatever the colour is.

The brand's colour fills buttons as it is; their text is black or white, whichever is legible. Links and focus rings have
the same colour, darkened (or lightened in dark mode) until its contrast with every surface is 4.5:1 (WCAG 2.2 §1.4.3).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from grantway.server.icons import encode_icon
from grantway.server.settings import Settings
from grantway.server.settings_sources import CannotStart

Colour = tuple[int, int, int]

CONTRAST = 4.5
BLACK: Colour = (0, 0, 0)
WHITE: Colour = (255, 255, 255)
LIGHT_SURFACE: Colour = (0xEE, 0xF2, 0xFD)
"""The darkest surface of the light pages: of notes."""
DARK_SURFACE: Colour = (0x22, 0x2B, 0x45)
"""The lightest surface of the dark pages: of notes."""
LOGO_BOX = (480, 96)


@dataclass(frozen=True, slots=True)
class Logo:
    """The platform's picture, as it is served."""

    png: bytes
    width: int
    height: int

    @property
    def path(self) -> str:
        """An address that changes with the picture."""
        return f"/static/logo-{hashlib.sha256(self.png).hexdigest()[:12]}.png"


@dataclass(frozen=True, slots=True)
class Theme:
    """What settings say of the looks. ``css`` comes after the stylesheet."""

    css: str = ""
    logo: Logo | None = None


def load_theme(settings: Settings) -> Theme:
    """The theme of these settings. Raises ``CannotStart`` when the logo is no picture that we can read."""
    css = theme_css(settings.accent_colour) if settings.accent_colour else ""
    return Theme(css, read_logo(settings.logo) if settings.logo else None)


def read_logo(path: Path) -> Logo:
    """The picture of this file, drawn anew: whatever else the file held is not served. Raises ``CannotStart``."""
    try:
        png = encode_icon(path.read_bytes(), LOGO_BOX)
    except OSError:
        raise CannotStart(f"The logo {path} cannot be read.") from None
    except ValueError as problem:
        raise CannotStart(f"The logo {path} cannot be used. {problem}") from None
    from PIL import Image

    with Image.open(BytesIO(png)) as drawn:
        return Logo(png, drawn.width, drawn.height)


def theme_css(accent: str) -> str:
    """The variables of the stylesheet that follow from the brand's colour."""
    fill = parse(accent)
    light, dark = legible(fill, LIGHT_SURFACE), legible(fill, DARK_SURFACE)
    text = text_on(fill)
    common = (
        f"--accent: {spell(fill)}; --accent-strong: {spell(mixed(fill, away_from(text), 0.15))}; "
        f"--on-accent: {spell(text)};"
    )
    return (
        "\n/* The platform's own colour. */\n"
        f":root {{ {common} --link: {spell(light)}; }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {common} --link: {spell(dark)}; }} }}\n"
    )


def text_on(fill: Colour) -> Colour:
    """Black or white: one of them always has 4.5:1, because their own contrast is 21:1, more than 4.5²."""
    return WHITE if contrast(WHITE, fill) >= contrast(BLACK, fill) else BLACK


def away_from(text: Colour) -> Colour:
    return BLACK if text == WHITE else WHITE


def legible(colour: Colour, surface: Colour) -> Colour:
    """The colour, moved towards black or white only as far as its text on the surface needs."""
    towards = text_on(surface)
    for step in range(101):
        moved = mixed(colour, towards, step / 100)
        if contrast(moved, surface) >= CONTRAST:
            return moved
    return towards


def contrast(one: Colour, other: Colour) -> float:
    """WCAG 2.2's contrast ratio."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: Colour) -> float:
    """WCAG 2.2's relative luminance."""

    def linear(channel: int) -> float:
        part = channel / 255
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    red, green, blue = map(linear, colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def mixed(colour: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(mine + (theirs - mine) * share) for mine, theirs in zip(colour, other, strict=True))
    return red, green, blue


def parse(text: str) -> Colour:
    """A colour such as ``#0b6e4f``."""
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def spell(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
