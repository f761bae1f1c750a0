"""Where templates come from: files that are read once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from jinja2 import BaseLoader, Environment, TemplateNotFound
from typing_extensions import override


class ReadOnce(BaseLoader):
    """The templates of a folder as they are now.

    An installation may be upgraded beneath a process that still runs: its pages stay those that its code knows.
    """

    def __init__(self, folder: Path) -> None:
        files = (path for path in folder.rglob("*") if path.is_file())
        self._read = {path.relative_to(folder).as_posix(): (path.read_text("utf-8"), str(path)) for path in files}

    @override
    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        if template not in self._read:
            raise TemplateNotFound(template)
        text, path = self._read[template]
        return text, path, lambda: True

    @override
    def list_templates(self) -> list[str]:
        return sorted(self._read)
