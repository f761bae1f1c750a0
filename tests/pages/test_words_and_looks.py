"""The catalogue is complete, its reader reads what Babel reads, and the colours can be read by everybody."""

from __future__ import annotations

import ast
import re
from datetime import date
from ipaddress import ip_network
from pathlib import Path

import pytest
from starlette.requests import HTTPConnection

from grantway.protocol.model import Scope
from grantway.server.address import client_address
from grantway.server.pages.assets import STYLES, Assets
from grantway.server.pages.catalogue import Catalogue, choose_language, load_catalogues, read_po
from grantway.server.pages.rendering import AT_ONCE, LONG, Templates, at_a_glance, day, in_words, initial
from grantway.wire.sentence import worded
from tests.pages.catalogue import LOCALE, PAGES, RULES, gathered, read, said, updated

CATALOGUES = sorted(LOCALE.glob("*/LC_MESSAGES/grantway.po"))


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parent.parent.name)
def test_every_catalogue_is_complete_and_up_to_date(path: Path) -> None:
    assert path.read_bytes() == updated(path), "run: python -m tests.pages.catalogue"
    catalog = read(path)
    assert {message.id for message in catalog if message.id} == {message.id for message in gathered() if message.id}
    assert [message.id for message in catalog if message.id and not message.string] == []
    assert [message.id for message in catalog if list(message.check(catalog))] == []


def test_every_template_compiles_in_every_language() -> None:
    Templates(load_catalogues(), Assets(), "Grantway").compile_all()


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parent.parent.name)
def test_a_translation_has_the_placeholders_of_its_sentence(path: Path) -> None:
    def placeholders(text: str) -> list[str]:
        return sorted(set(re.findall(r"%\(\w+\)[sr]|%(?!\()", text)))

    differ = [
        message.id
        for message in read(path)
        if message.id and placeholders(str(message.id)) != placeholders(str(message.string))
    ]
    assert differ == []


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_a_rule_says_no_with_a_sentence_that_can_be_translated(path: Path) -> None:
    """What is put into a sentence is handed over beside it: an f-string would be English for everybody."""
    put_together = [value for value in said(path.read_text()) if isinstance(value, ast.JoinedStr)]
    # One without a blank is an address or an id.
    words = [part for value in put_together for part in value.values if isinstance(part, ast.Constant)]
    assert [part.value for part in words if " " in str(part.value)] == []


def test_a_sentence_names_all_that_is_put_into_it_and_nothing_else() -> None:
    calls = [
        node
        for path in RULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "worded"
    ]
    assert len(calls) > 30
    for call in calls:
        template, told = ast.literal_eval(call.args[0]), {keyword.arg for keyword in call.keywords}
        assert set(re.findall(r"%\((\w+)\)[sr]", template)) == told, template


def test_a_rules_sentence_is_told_in_the_readers_language_with_what_was_put_into_it() -> None:
    german, english = load_catalogues()["de"], load_catalogues()["en"]
    inner = worded("A redirect URI has at most %(most)s characters.", most=2048)
    sentence = worded("%(uri)s: %(problem)s", uri="https://a.example/100%s", problem=inner)
    assert sentence == "https://a.example/100%s: A redirect URI has at most 2048 characters."
    assert english.told(sentence) == sentence
    assert german.told(sentence) == "https://a.example/100%s: Eine Redirect-URI hat höchstens 2048 Zeichen."
    assert german.told("A name is not empty.") == "Ein Name ist nicht leer."
    assert german.told(worded("Nobody has translated %(this)s.", this="it")) == "Nobody has translated it."


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parent.parent.name)
def test_our_reader_reads_what_babel_reads(path: Path) -> None:
    expected = {str(message.id): message.string for message in read(path) if message.id}
    assert read_po(path.read_text("utf-8")) == expected


def test_templates_hold_no_sentence_outside_the_catalogue() -> None:
    for template in (PAGES / "templates").glob("*.html"):
        text = re.sub(
            r"{% block kind %}.*?{% endblock %}|{#.*?#}|{%.*?%}|{{.*?}}|<[^>]*>",
            " ",
            template.read_text(),
            flags=re.DOTALL,
        )
        assert not re.search(r"[A-Za-z]{2,}", text), f"{template.name}: {text.split()}"


def test_the_reader_takes_escapes_and_continuations_and_leaves_out_fuzzy_ones() -> None:
    text = (
        'msgid ""\nmsgstr "header\\n"\n\n# a note\nmsgid "a "\n"\\"b\\""\nmsgstr "ä\\tö"\n\n'
        '#, fuzzy\nmsgid "old"\nmsgstr "neu"\n\nmsgid "empty"\nmsgstr ""\n'
    )
    assert read_po(text) == {'a "b"': "ä\tö"}
    with pytest.raises(ValueError, match="not read here"):
        read_po('msgid_plural "x"')


@pytest.mark.parametrize(
    ("accepted", "language"),
    [(None, "en"), ("de-AT, en;q=0.5", "de"), ("fr, en;q=0.2, de;q=0.9", "de"), ("*", "en"), ("x" * 5000, "en")],
)
def test_the_language_is_the_one_that_the_browser_likes_best(accepted: str | None, language: str) -> None:
    available = {name: Catalogue(name, {}) for name in ("en", "de")}
    assert choose_language(accepted, available) == language


def test_scopes_are_told_in_the_language_then_in_english_then_in_any_then_by_name() -> None:
    scopes = (
        Scope("a", {"de": "A auf Deutsch", "en": "A in English"}, opens={"en": ("x",)}),
        Scope("b", {"en": "B in English"}),
        Scope("c", {"fr": "C en français"}),
        Scope("d", {}),
    )
    assert [scope.sentence for scope in in_words(scopes, "de")] == [
        "A auf Deutsch",
        "B in English",
        "C en français",
        "d",
    ]
    assert in_words(scopes, "de")[0].opens == ("x",)


def test_of_a_long_list_all_that_is_sensitive_is_told_first_and_the_rest_opens_at_a_touch() -> None:
    short = in_words(tuple(Scope(f"s{n}", {}, "high" if n == 7 else "low") for n in range(LONG)), "en")
    assert at_a_glance(short) == (short, ())
    long = in_words(tuple(Scope(f"s{n:02}", {}, "high" if n % 2 else "low") for n in range(LONG + 8)), "en")
    first, rest = at_a_glance(long)
    assert [scope.name for scope in first] == [f"s{n:02}" for n in range(1, LONG + 8, 2)]
    assert [scope.name for scope in rest] == [f"s{n:02}" for n in range(0, LONG + 8, 2)]
    first, rest = at_a_glance(in_words(tuple(Scope(f"s{n}", {}, "low") for n in range(LONG + 1)), "en"))
    assert (len(first), len(rest)) == (AT_ONCE, LONG + 1 - AT_ONCE), "of what is not sensitive, some"


def test_days_are_told_in_words() -> None:
    english = load_catalogues()["en"]
    assert day(date(2026, 2, 3), english) == '<time datetime="2026-02-03">3 February 2026</time>'


@pytest.mark.parametrize(
    ("name", "letter"), [("helpdesk", "H"), ("  “Ähre”", "Ä"), ("ßtore", "S"), ("", "·"), ("***", "·")]
)
def test_a_tile_shows_the_first_letter(name: str, letter: str) -> None:
    assert initial(name) == letter


# --- colours --------------------------------------------------------------------------------------------------------


def colours() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {"light": {}, "dark": {}}
    for name in STYLES:
        css = (PAGES / "static" / name).read_text()
        for theme, block in zip(found, re.findall(r":root {(.*?)}", css, re.DOTALL)[:2], strict=True):
            found[theme] |= re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)
    return found


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_has_a_contrast_of_at_least_four_and_a_half(theme: str) -> None:
    of = colours()[theme]
    pairs = [
        *((text, ground) for text in ("text", "muted", "link") for ground in ("card", "page", "sunken", "hover")),
        ("link", "note"), ("warning-text", "warning"), ("still-text", "still"), ("error-text", "card"),
        ("on-accent", "accent"), ("on-accent", "accent-strong"), ("on-danger", "danger"), ("on-danger", "danger-strong"),
        ("note-text", "note"), ("error-text", "error"), ("done-text", "done"), ("badge-text", "badge"),
    ]  # fmt: skip
    low = {pair: contrast(of[pair[0]], of[pair[1]]) for pair in pairs if contrast(of[pair[0]], of[pair[1]]) < 4.5}
    assert low == {}
    assert contrast(of["field"], of["card"]) >= 3  # WCAG 1.4.11: what makes a field a field
    assert min(contrast(of[f"series-{number}"], of["card"]) for number in range(6)) >= 3  # and a chart a chart


def test_tiles_can_be_read() -> None:
    css = (PAGES / "static" / "grantway.css").read_text()
    tiles = re.findall(r"\.tile-\d { background: (#\w{6}); color: (#\w{6}); }", css)
    assert len(tiles) == 6
    assert min(contrast(*tile) for tile in tiles) >= 4.5


# --- addresses ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.7", "10.9.9.9", "192.0.2.7"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "192.0.2.7", "192.0.2.7"),
        ("10.0.0.1", "1.2.3.4, 192.0.2.7, 10.0.0.2", "192.0.2.7"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "192.0.2.7, unknown", "10.0.0.1"),
        ("10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
        ("::ffff:10.0.0.1", "192.0.2.7", "192.0.2.7"),
    ],
)
def test_the_first_address_from_the_right_that_no_proxy_has_is_the_client(
    peer: str, forwarded: str, client: str
) -> None:
    scope = {"type": "http", "client": (peer, 1), "headers": [(b"x-forwarded-for", forwarded.encode())]}
    assert client_address(HTTPConnection(scope), [ip_network("10.0.0.0/8")]) == client
