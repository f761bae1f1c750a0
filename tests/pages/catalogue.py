"""Gather the sentences of pages and letters, and write them into the catalogues: ``python -m tests.pages.catalogue``.

A new language is a new folder in ``locale`` with an empty ``grantway.po``; running this fills in what is to translate.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

import grantway.protocol
import grantway.server.mail
import grantway.server.pages

PAGES = Path(grantway.server.pages.__file__).parent
LETTERS = Path(grantway.server.mail.__file__).parent
LOCALE = PAGES / "locale"
METHODS = [("templates/**.html", "jinja2"), ("templates/**.txt", "jinja2"), ("**.py", "python")]
OPTIONS = {
    pattern: {"newstyle_gettext": "true", "trimmed": "true", "silent": "false"}
    for pattern in ("templates/**.html", "templates/**.txt")
}
PROTOCOL = Path(grantway.protocol.__file__).parent
RULES = (
    *sorted((PROTOCOL / "administration").glob("*.py")),
    *(
        PROTOCOL / name
        for name in ("permanent.py", "policy.py", "portal.py", "portal_log.py", "portal_tokens.py", "redirect_uri.py")
    ),
    *sorted((PAGES / "admin").glob("*.py")),
    PAGES.parent / "connections" / "outgoing.py",
    PAGES.parent / "icons.py",
)
"""Where sentences are that pages of developers and operators tell when a rule says no."""
SAYING = frozenset({"reject", "Rejected", "worded", "ValueError"})


def said(source: str) -> Iterator[ast.expr]:
    """What a rule says no with: handed to those who say it, or given back by a function that says why, or ``None``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SAYING and node.args:
            yield from branches(node.args[0])
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and may_say_why(node.returns):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Return) and inner.value is not None:
                    yield from branches(inner.value)


def may_say_why(returns: ast.expr | None) -> bool:
    """``str | None``, or something or a ``str``; what only gives back texts says nothing of a refusal."""
    kinds = ast.unparse(returns).split(" | ") if returns else []
    return len(kinds) > 1 and "str" in kinds


def branches(value: ast.expr) -> Iterator[ast.expr]:
    """A value, or those of ``a if … else b`` and ``a or b``."""
    if isinstance(value, ast.IfExp):
        yield from branches(value.body)
        yield from branches(value.orelse)
    elif isinstance(value, ast.BoolOp):
        for each in value.values:
            yield from branches(each)
    else:
        yield value


def sentences(source: str) -> Iterator[str]:
    """The sentences among what is said; a slug or an id that a function gives back is none."""
    for value in said(source):
        if isinstance(value, ast.Constant) and isinstance(value.value, str) and " " in value.value:
            yield value.value


def gathered() -> Catalog:
    """All sentences that templates and code hold, with the files they are in."""
    catalog = Catalog(charset="utf-8")
    for folder in (PAGES, LETTERS):
        for name, _line, sentence, comments, _context in extract_from_dir(folder, METHODS, OPTIONS):
            catalog.add(sentence, None, [(name, None)], auto_comments=comments)  # type: ignore[list-item]
    for file in RULES:
        for sentence in sentences(file.read_text("utf-8")):
            catalog.add(sentence, None, [(file.relative_to(PROTOCOL.parent).as_posix(), None)])  # type: ignore[list-item]
    return catalog


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.parent.parent.name)


def written(catalog: Catalog) -> bytes:
    """The file as it is kept: without line numbers and dates, which change when no sentence does."""
    out = BytesIO()
    write_po(out, catalog, width=116, omit_header=True, sort_output=True, include_lineno=False, ignore_obsolete=True)
    return b'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n' + out.getvalue().lstrip()


def updated(path: Path) -> bytes:
    """The catalogue brought up to date. In English a sentence is its own translation until somebody words it anew."""
    catalog = read(path)
    catalog.update(gathered(), no_fuzzy_matching=True)
    if path.parent.parent.name == "en":
        for message in catalog:
            if message.id and not message.string:
                message.string = message.id
    return written(catalog)


if __name__ == "__main__":
    for one in sorted(LOCALE.glob("*/LC_MESSAGES/grantway.po")):
        one.write_bytes(updated(one))
        print(f"{one.relative_to(PAGES)}: {len(read(one))} sentences")
