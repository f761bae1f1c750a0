"""The texts, by language: gettext catalogues, read as they are written.

A ``.po`` file is read when the server starts, so there is no compiled twin that could be forgotten. Templates and code
hold the English sentences; the English catalogue repeats them, so that wording can be changed in one file as well.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from grantway.wire.sentence import Sentence

DEFAULT_LANGUAGE = "en"
_NAMES = {"de": "Deutsch", "en": "English"}
"""Languages as those who speak them call them."""
_LOCALE = Path(__file__).parent / "locale"
_LINE = re.compile(r'(?:(msgid|msgstr) )?"((?:[^"\\]|\\.)*)"')
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}
_LANGUAGE = re.compile(r"([A-Za-z]{1,8})(?:-[A-Za-z0-9-]{1,35})?(?:;[ \t]*q=([01](?:\.\d{1,3})?))?")


class Catalogue:
    """The sentences of one language."""

    def __init__(self, language: str, sentences: Mapping[str, str]) -> None:
        self.language = language
        self._sentences = sentences

    def gettext(self, sentence: str) -> str:
        """The sentence in this language, or as it is."""
        return self._sentences.get(sentence) or sentence

    def told(self, sentence: str) -> str:
        """A rule's sentence in this language, with what was put into it; as it is, where nobody has translated it."""
        if not isinstance(sentence, Sentence) or not sentence.told:
            return self.gettext(sentence)
        told = {name: self.told(one) if isinstance(one, Sentence) else one for name, one in sentence.told.items()}
        return self.gettext(sentence.template) % told


def load_catalogues(folder: Path = _LOCALE) -> Mapping[str, Catalogue]:
    """All catalogues, by language."""
    return {
        path.parent.parent.name: Catalogue(path.parent.parent.name, read_po(path.read_text("utf-8")))
        for path in sorted(folder.glob("*/LC_MESSAGES/grantway.po"))
    }


def named(language: str) -> str:
    """The language's own name; its code where we do not know that."""
    return _NAMES.get(language, language)


def read_po(text: str) -> dict[str, str]:
    """The translations of a ``.po`` file; fuzzy ones, its header and comments are left out.

    Raises ``ValueError`` at a line that is none of singular ``msgid`` and ``msgstr``: better no start than half a page.
    """
    sentences: dict[str, str] = {}
    for block in re.split(r"\n\s*\n", text):
        entry = {"msgid": "", "msgstr": ""}
        keyword = "msgid"
        for line in block.splitlines():
            if not line or line.startswith("#"):
                continue
            found = _LINE.fullmatch(line)
            if found is None:
                raise ValueError(f"A catalogue has a line that is not read here: {line!r}")
            keyword = found[1] or keyword
            entry[keyword] += re.sub(r"\\(.)", lambda escape: _ESCAPES[escape[1]], found[2])
        if entry["msgid"] and entry["msgstr"] and not re.search(r"^#,.*\bfuzzy\b", block, re.MULTILINE):
            sentences[entry["msgid"]] = entry["msgstr"]
    return sentences


def choose_language(accepted: str | None, available: Mapping[str, Catalogue]) -> str:
    """The language that the browser likes best of those that there are (RFC 9110 §12.5.4)."""
    best, liking = DEFAULT_LANGUAGE, 0.0
    for part in (accepted or "")[:1000].split(","):
        found = _LANGUAGE.fullmatch(part.strip())
        if found is None:
            continue
        language, quality = found[1].lower(), float(found[2] or 1)
        if language in available and quality > liking:
            best, liking = language, quality
    return best
