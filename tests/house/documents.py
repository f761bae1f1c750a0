"""The documents of the repository, taken apart: their links, their code, and which files are tracked."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Document:
    """One document in Markdown."""

    path: Path

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    @property
    def blocks(self) -> list[tuple[str, str]]:
        """Language and content of the fenced blocks."""
        return _FENCE.findall(self.text)

    @property
    def prose(self) -> str:
        """Everything outside of fenced blocks."""
        return _FENCE.sub("", self.text)

    @property
    def spans(self) -> list[str]:
        """What stands in the prose as code."""
        return _SPAN.findall(self.prose)

    @property
    def links(self) -> list[str]:
        """Where the prose links to, other sites left out."""
        found = _LINK.findall(_SPAN.sub("", self.prose))
        return [link for link in found if not re.match(r"[a-z]+:", link)]

    @property
    def anchors(self) -> set[str]:
        """What a link may name within it."""
        return {
            re.sub(r"[^\w\- ]", "", _SPAN.sub(r"\1", heading)).strip().lower().replace(" ", "-")
            for heading in _HEADING.findall(self.prose)
        }

    @property
    def commands(self) -> list[str]:
        """The command lines that it shows, continued lines joined, prompts, comments, pipes and output left out."""
        lines: list[str] = []
        for language, content in self.blocks:
            if language not in ("sh", "console"):
                continue
            for line in content.replace("\\\n", " ").splitlines():
                if language == "console" and not line.startswith("$ "):
                    continue
                lines += re.split(r" \| | > | && ", line.removeprefix("$ ").partition(" #")[0])
        return [line.strip() for line in (*lines, *self.spans) if line.strip()]


@cache
def documents() -> tuple[Document, ...]:
    """All documents: at the root, and below docs."""
    return tuple(Document(path) for path in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]))


@cache
def tracked_files() -> tuple[Path, ...]:
    """What git tracks and is there; what a release archive holds, where there is no git."""
    asked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    names = [name for name in asked.stdout.split("\0") if name] if asked.returncode == 0 else []
    found = [ROOT / name for name in names] or [
        path for folder in ("src", "docs", "tests", "scripts", "requirements") for path in (ROOT / folder).rglob("*")
    ]
    return tuple(path for path in found if path.is_file())
