"""The documents are true: what they name is there."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer.main

from grantway.cli.main import app
from grantway.server.settings import variables
from tests.house.documents import ROOT, Document, documents, tracked_files

each_document = pytest.mark.parametrize("document", documents(), ids=lambda document: document.name)

PACKAGE = ROOT / "src" / "grantway"


def test_the_documents_that_a_newcomer_looks_for_are_there() -> None:
    names = {document.name for document in documents()}
    wanted = {"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "docs/divergences.md"}
    assert wanted <= names


@each_document
def test_every_link_leads_somewhere(document: Document) -> None:
    broken = []
    for link in document.links:
        name, _, anchor = link.partition("#")
        target = (document.path.parent / name).resolve() if name else document.path
        if not target.exists() or (anchor and anchor not in Document(target).anchors):
            broken.append(link)
    assert broken == []


@each_document
def test_every_make_target_exists(document: Document) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {words[1] for words in map(str.split, document.commands) if len(words) > 1 and words[0] == "make"}
    assert {name for name in named if name.isalpha()} <= targets


def _commands_of_ours(document: Document) -> list[list[str]]:
    found = []
    for line in document.commands:
        words = shlex.split(re.sub(r"^(?:[A-Z_]+=\S* )*", "", line))
        if words and words[0] in ("grantway", ".venv/bin/grantway") and words[1:]:
            found.append(words[1:])
    return found


@each_document
def test_every_command_and_option_exists(document: Document) -> None:
    unknown = []
    for words in _commands_of_ours(document):
        command: Any = typer.main.get_command(app)
        rest = list(words)
        while rest and hasattr(command, "commands") and rest[0] in command.commands:
            command = command.commands[rest.pop(0)]
        options = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        is_group = hasattr(command, "commands")
        if (is_group and any(not word.startswith("-") and word.islower() for word in rest)) or any(
            word.startswith("--") and word not in options for word in rest
        ):
            unknown.append(" ".join(words))
    assert unknown == []


def test_every_command_is_looked_at() -> None:
    """Should the way in which documents show commands change, the test above must not pass on nothing."""
    assert sum(len(_commands_of_ours(document)) for document in documents()) > 30


@each_document
def test_every_setting_exists(document: Document) -> None:
    named = set(re.findall(r"\bGRANTWAY_[A-Z_]+[A-Z]\b", document.text))
    assert named <= set(variables())


@each_document
def test_every_file_that_is_named_exists(document: Document) -> None:
    """A path in code that ends like one of ours is found from the root, the package or the package's server."""
    named = [span for span in document.spans if re.fullmatch(r"[\w./-]+/[\w.-]+\.(?:py|md|toml|po)", span)]
    missing = [
        name
        for name in named
        if not name.isupper()
        and "NAME" not in name
        and "LC_MESSAGES" not in name
        and not name.startswith(("data/", "/"))
        and not any((base / name).exists() for base in (ROOT, PACKAGE, document.path.parent))
    ]
    assert missing == []


@each_document
def test_every_test_that_is_named_exists(document: Document) -> None:
    named = {span for span in document.spans if re.fullmatch(r"test_\w{12,}", span)}
    if not named:
        return
    sources = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert named <= set(re.findall(r"def (test_\w+)", sources))


@each_document
def test_what_is_shown_can_be_read(document: Document) -> None:
    for language, content in document.blocks:
        match language:
            case "python":
                compile(content, document.name, "exec")
            case "json":
                json.loads(content)
            case "toml":
                tomllib.loads(content)


def test_every_decision_is_in_the_index_and_numbered_once() -> None:
    folder = ROOT / "docs" / "decisions"
    decisions = {path.name for path in folder.glob("[0-9]*.md")}
    index = Document(folder / "README.md")
    assert decisions == set(index.links)
    assert [name[:4] for name in sorted(decisions)] == [f"{number:04}" for number in range(1, len(decisions) + 1)]
    for name in decisions:
        first = (folder / name).read_text("utf-8").partition("\n")[0]
        assert re.match(rf"# {name[:4]}[:.] ", first), first


def test_every_document_below_docs_is_reached_from_its_index() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "docs" / "README.md", ROOT / "README.md"]
    while waiting:
        path = waiting.pop()
        if path in reached or path.suffix != ".md" or not path.exists():
            continue
        reached.add(path)
        waiting += [(path.parent / link.partition("#")[0]).resolve() for link in Document(path).links]
    assert [document.name for document in documents() if document.path not in reached] == []


def _map() -> list[tuple[Path, str]]:
    """The folders of ARCHITECTURE's map, by indentation."""
    content = next(text for language, text in Document(ROOT / "ARCHITECTURE.md").blocks if language == "text")
    folders: list[tuple[Path, str]] = []
    above: list[tuple[int, Path]] = [(-1, ROOT)]
    for line in content.splitlines():
        indent = len(line) - len(line.lstrip())
        names, _, sentence = line.strip().partition("  ")
        while above[-1][0] >= indent:
            above.pop()
        for name in names.split():
            folders.append((above[-1][1] / name, sentence.strip()))
        above.append((indent, folders[-1][0]))
    return folders


def test_the_map_names_only_folders_that_exist() -> None:
    assert [str(folder) for folder, _ in _map() if not folder.is_dir()] == []


def test_every_package_is_on_the_map() -> None:
    on_map = {folder for folder, _ in _map()}
    packages = {path.parent for path in PACKAGE.rglob("__init__.py")} - {PACKAGE}
    beneath = {PACKAGE / "wire" / "dialects", PACKAGE / "server" / "storage" / "migrations"}
    assert [
        str(package.relative_to(PACKAGE))
        for package in sorted(packages - on_map)
        if not any(folder in package.parents for folder in beneath)
    ] == []


@pytest.mark.parametrize(
    "pattern",
    [
        r"/(?:work|root|home/\w+)/",
        r"(?:files\.)?python" + r"hosted\.org|pypi" + r"\.org/simple|registry\.npm" + r"js\.org",
        r"--(?:extra-)?index" + r"-url|--find" + r"-links[ =]\S*:|index" + r"-url *=",
    ],
)
def test_no_tracked_file_names_this_machine_or_where_packages_come_from(pattern: str) -> None:
    wrong = re.compile(pattern)
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()[:100]}"
        for path in tracked_files()
        if path != Path(__file__) and path.suffix not in (".png", ".jpg", ".webp")
        for line in path.read_text("utf-8", errors="replace").splitlines()
        if wrong.search(line)
    ]
    assert found == []


def test_the_screenshot_is_small() -> None:
    picture = (ROOT / "docs" / "images" / "consent.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 200_000
