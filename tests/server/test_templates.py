"""A process shows the pages that belong to its code, whatever is installed beneath it meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import Environment, TemplateNotFound

from grantway.server.templates import ReadOnce


def test_templates_are_those_that_were_there_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    page = tmp_path / "below" / "page.html"
    page.write_text("as it was")
    environment = Environment(loader=ReadOnce(tmp_path), autoescape=True)
    page.write_text("of another version, which wants {{ more }}")
    (tmp_path / "new.html").write_text("new")
    assert environment.get_template("below/page.html").render() == "as it was"
    page.unlink()
    assert environment.get_template("below/page.html").render() == "as it was"
    assert environment.list_templates() == ["below/page.html"]
    with pytest.raises(TemplateNotFound):
        environment.get_template("new.html")
