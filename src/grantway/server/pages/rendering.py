"""Templates: HTML from a template, a language and values. Autoescaped, and a value that is missing is a fault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import BaseLoader, BytecodeCache, Environment, StrictUndefined
from jinja2.bccache import Bucket
from markupsafe import Markup, escape
from typing_extensions import override

from grantway.protocol.ids import show
from grantway.protocol.model import Scope
from grantway.server.pages.assets import Assets
from grantway.server.pages.catalogue import DEFAULT_LANGUAGE, Catalogue
from grantway.server.templates import ReadOnce

_TEMPLATES = Path(__file__).parent / "templates"


class _Compiled(BytecodeCache):
    """What templates compile to, which is the same in every language and for every site of a process."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], bytes] = {}

    @override
    def load_bytecode(self, bucket: Bucket) -> None:
        code = self._codes.get((bucket.key, bucket.checksum))
        if code is not None:
            bucket.bytecode_from_string(code)

    @override
    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


_COMPILED = _Compiled()


@dataclass(frozen=True, slots=True)
class ScopeInWords:
    """One scope as it is told to a customer."""

    name: str
    sentence: str
    sensitive: bool
    opens: tuple[str, ...]
    withholds: tuple[str, ...]


class Templates:
    """The templates in every language that there is a catalogue for. They are read now, and compiled when asked for."""

    def __init__(self, catalogues: Mapping[str, Catalogue], assets: Assets, platform: str) -> None:
        loader = ReadOnce(_TEMPLATES)
        self._environments = {
            language: self._environment(loader, catalogue, assets, platform)
            for language, catalogue in catalogues.items()
        }
        self.languages = catalogues

    def compile_all(self) -> None:
        """Compile every template. Raises ``TemplateSyntaxError`` for a broken one."""
        for environment in self._environments.values():
            for template in environment.list_templates():
                environment.get_template(template)

    def render(self, template: str, language: str, values: Mapping[str, Any]) -> str:
        """The page. Raises when the template names a value that is not there."""
        return self._environments[language].get_template(template).render(values)

    def catalogue(self, language: str) -> Catalogue:
        return self.languages[language]

    def _environment(self, loader: BaseLoader, catalogue: Catalogue, assets: Assets, platform: str) -> Environment:
        environment = Environment(
            loader=loader,
            autoescape=True,
            undefined=StrictUndefined,
            extensions=["jinja2.ext.i18n"],
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            bytecode_cache=_COMPILED,
        )
        install = getattr(environment, "install_gettext_callables")  # noqa: B009 - the extension adds it untyped
        install(catalogue.gettext, lambda one, many, n: catalogue.gettext(one if n == 1 else many), newstyle=True)
        environment.filters["told"] = catalogue.told
        language = catalogue.language
        environment.globals.update(
            language=language,
            platform=platform,
            stylesheet=assets.stylesheet,
            logo=assets.logo,
            day=lambda value: day(value, catalogue),
            when=lambda value: when(value, catalogue),
            ident=show,
            in_words=lambda scopes: in_words(scopes, language),
            at_a_glance=at_a_glance,
            initial=initial,
            hue=hue,
            strong=lambda text: Markup("<strong><bdi>{}</bdi></strong>").format(text),
            name=lambda text: Markup("<bdi>{}</bdi>").format(text),
            quoted=lambda text: quote(text, safe=""),
        )
        return environment


def in_words(scopes: tuple[Scope, ...], language: str) -> list[ScopeInWords]:
    """The scopes as sentences: in the language, else in English, else in whatever there is, at last by name."""

    def chosen(texts: Mapping[str, Any], otherwise: Any) -> Any:
        for wanted in (language, DEFAULT_LANGUAGE, *sorted(texts)):
            if texts.get(wanted):
                return texts[wanted]
        return otherwise

    return [
        ScopeInWords(
            scope.name,
            chosen(scope.sentences, scope.name),
            scope.sensitivity == "high",
            tuple(chosen(scope.opens, ())),
            tuple(chosen(scope.withholds, ())),
        )
        for scope in scopes
    ]


LONG = 12
"""More than so many scopes are more than anybody reads."""
AT_ONCE = 8


def at_a_glance(scopes: Sequence[ScopeInWords]) -> tuple[Sequence[ScopeInWords], Sequence[ScopeInWords]]:
    """What is told at once, and what opens at a touch: of a long list all that is sensitive is told first and at once."""
    if len(scopes) <= LONG:
        return scopes, ()
    ordered = sorted(scopes, key=lambda scope: not scope.sensitive)
    told = max(AT_ONCE, sum(scope.sensitive for scope in scopes))
    return ordered[:told], ordered[told:]


def day(value: date | datetime, catalogue: Catalogue) -> Markup:
    """A day in words, and for machines. Days are UTC, because that is what is known of them."""
    _ = catalogue.gettext
    months = (
        _("January"), _("February"), _("March"), _("April"), _("May"), _("June"), _("July"), _("August"),
        _("September"), _("October"), _("November"), _("December"),
    )  # fmt: skip
    text = _("%(day)s %(month)s %(year)s") % {
        "day": value.day,
        "month": months[value.month - 1],
        "year": value.year,
    }
    return Markup('<time datetime="{}">{}</time>').format(f"{value:%Y-%m-%d}", escape(text))


def when(value: datetime, catalogue: Catalogue) -> Markup:
    """A day and a time in words, to the second, and for machines. Times are UTC, and say so."""
    at = value.astimezone(UTC)
    text = catalogue.gettext("%(day)s, %(time)s UTC") % {
        "day": day(at, catalogue).striptags(),
        "time": f"{at:%H:%M:%S}",
    }
    return Markup('<time datetime="{}">{}</time>').format(f"{at:%Y-%m-%dT%H:%M:%SZ}", text)


def initial(name: str) -> str:
    """The letter on the tile that stands for something without a picture."""
    return next((char.upper()[0] for char in name if char.isalnum()), "·")


def hue(name: str) -> int:
    """Which of the tiles' colours a name gets; always the same one."""
    return sum(name.encode()) % 6
