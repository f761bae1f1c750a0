"""Sentences that tell somebody what is wrong: English as they are, and open to being told in another language."""

from __future__ import annotations

from collections.abc import Mapping


class Sentence(str):
    """An English sentence that still knows its ``template``, and what was put into it."""

    __slots__ = ("template", "told")

    template: str
    told: Mapping[str, object]


def worded(template: str, **told: object) -> Sentence:
    """The template with its ``%(name)s`` replaced. One without names is not touched."""
    sentence = Sentence(template % told if told else template)
    sentence.template, sentence.told = template, told
    return sentence


def said_by(error: ValueError) -> Sentence:
    """The sentence that an error was raised with."""
    (said,) = error.args
    return said if isinstance(said, Sentence) else worded(str(said))
