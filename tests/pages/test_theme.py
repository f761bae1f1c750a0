"""A platform's own colour and logo: legible whatever they are, served by us, and refused at the start if unusable."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from itertools import product
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from grantway.server.pages import theme
from grantway.server.settings_sources import CannotStart
from tests.pages.browser import Browser
from tests.pages.conftest import platform
from tests.pages.test_words_and_looks import colours, contrast

STEPS = [f"{channel:02x}" for channel in range(0, 256, 17)]
SURFACES = ("card", "page", "note")


def stylesheet(browser: Browser) -> str:
    address = re.findall(r'<link rel="stylesheet" href="([^"]*)"', browser.get("/").html)
    assert len(address) == 1
    return browser.get(address[0]).html


def picture(width: int, height: int) -> bytes:
    hidden = PngInfo()
    hidden.add_text("Comment", "what else was in the file")
    out = BytesIO()
    Image.new("RGBA", (width, height), "#0b6e4f").save(out, "PNG", pnginfo=hidden)
    return out.getvalue()


def test_whatever_the_colour_is_buttons_and_links_can_be_read() -> None:
    """Every 17th shade of each channel: 4096 colours, against every surface of light and dark pages."""
    grounds = colours()
    for channels in product(STEPS, repeat=3):
        css = theme.theme_css("#" + "".join(channels))
        for scheme, block in zip(("light", "dark"), re.findall(r":root {(.*?)}", css), strict=True):
            is_now = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
            for fill in ("accent", "accent-strong"):
                assert contrast(is_now["on-accent"], is_now[fill]) >= 4.5, (channels, scheme, fill)
            for surface in SURFACES:
                assert contrast(is_now["link"], grounds[scheme][surface]) >= 4.5, (channels, scheme, surface)


def test_the_brands_colour_fills_buttons_as_it_is() -> None:
    assert theme.theme_css("#ffcc00").count("--accent: #ffcc00; ") == 2
    assert theme.theme_css("#FFCC00") == theme.theme_css("#ffcc00")


def test_a_colour_comes_last_in_the_stylesheet_and_changes_its_address(new_browser: Callable[..., Browser]) -> None:
    plain = new_browser(platform().pages)
    branded = new_browser(platform(accent_colour="#0b6e4f").pages)
    assert stylesheet(branded) == stylesheet(plain) + theme.theme_css("#0b6e4f")
    assert plain.get("/").html.split('href="/static/')[1] != branded.get("/").html.split('href="/static/')[1]


def test_a_logo_stands_in_for_the_name_and_is_drawn_anew(new_browser: Callable[..., Browser], tmp_path: Path) -> None:
    file = tmp_path / "logo.png"
    file.write_bytes(picture(640, 320))
    browser = new_browser(platform(logo=file).pages)
    page = browser.get("/")
    found = re.findall(r'<img class="logo" src="([^"]*)" alt="Northwind" width="192" height="96">', page.html)
    assert len(found) == 1
    served = browser.get(found[0])
    assert served.headers["content-type"] == "image/png"
    assert served.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_nothing_of_a_logos_file_but_its_picture_is_served(tmp_path: Path) -> None:
    file = tmp_path / "logo.png"
    file.write_bytes(picture(40, 20))
    logo = theme.read_logo(file)
    assert (logo.width, logo.height) == (40, 20)
    assert b"what else was in the file" in file.read_bytes()
    assert b"what else was in the file" not in logo.png


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "A picture is a PNG, JPEG or WebP file here."),
        (b"\x89PNG\r\n\x1a\n", "PNG, JPEG or WebP"),
        (b"\0" * (2**20 + 1), "at most 1 MiB"),
        (None, "cannot be read"),
    ],
)
def test_a_logo_that_is_no_picture_stops_the_start(content: bytes | None, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "logo"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CannotStart, match=sentence):
        theme.read_logo(file)
