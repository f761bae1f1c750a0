"""Gather the sentences of pages and letters, and write them into the catalogues: ``python -m tests.pages.catalogue``.

A new language is a new folder in ``locale`` with an empty ``grantway.po``; running this fills in what is to translate.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

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


def gathered() -> Catalog:
    """All sentences that templates and code hold, with the files they are in."""
    catalog = Catalog(charset="utf-8")
    for folder in (PAGES, LETTERS):
        for name, _line, sentence, comments, _context in extract_from_dir(folder, METHODS, OPTIONS):
            catalog.add(sentence, None, [(name, None)], auto_comments=comments)  # type: ignore[list-item]
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
