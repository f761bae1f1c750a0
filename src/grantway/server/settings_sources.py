"""Where settings come from: options of a command, the environment, the settings file, in this order."""

from __future__ import annotations

import os
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from grantway.server.settings import FILE_NAME, FILE_ONLY, PREFIX, Settings, variables


class CannotStart(Exception):
    """The server, or a command, cannot start. ``problems`` are sentences for the operator; no secret is in them."""

    def __init__(self, *problems: str) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


def load_settings(**options: Any) -> Settings:
    """The settings as they are: what ``options`` give (``None`` is nothing), the environment, the settings file.

    Raises ``CannotStart`` with all problems at once.
    """
    given = {name: value for name, value in options.items() if value is not None}
    problems = _unknown_variables()
    path, is_default = _file_path(given)
    from_file: dict[str, Any] = {}
    try:
        from_file = _read_file(path, is_default)
    except CannotStart as problem:
        problems += problem.problems
    if is_default and "data" in from_file:
        problems.append(f"{path}: data is not set in the file that lies in the data directory.")

    in_environment = _names_in_environment()
    from_environment = {name: os.environ[variable] for name, variable in in_environment.items()}
    try:
        settings = Settings(**{**from_file, **from_environment, **given})
    except ValidationError as error:
        names = {name: f"{path}: {name}" for name in from_file} | in_environment | {name: f"--{name}" for name in given}
        problems += [_sentence(one, names, path) for one in error.errors(include_url=False, include_input=False)]
        raise CannotStart(*problems) from None
    if problems:
        raise CannotStart(*problems)
    return settings


def _names_in_environment() -> dict[str, str]:
    """The variables that say something, by the settings that they say."""
    known = {PREFIX + name.upper(): name for name in Settings.model_fields if name not in FILE_ONLY}
    return {known[name.upper()]: name for name, value in os.environ.items() if name.upper() in known and value}


def _unknown_variables() -> list[str]:
    known = variables()
    unknown = sorted(name for name in os.environ if name.upper().startswith(PREFIX) and name.upper() not in known)
    return [f"{name} is not a setting.{_did_you_mean(name.upper(), list(known))}" for name in unknown]


def _did_you_mean(name: str, known: list[str]) -> str:
    by_last_word = {one.removeprefix(PREFIX): one for one in known}
    close = get_close_matches(name.removeprefix(PREFIX), by_last_word, n=1)
    return f" Did you mean {by_last_word[close[0]]}?" if close else ""


def _file_path(given: dict[str, Any]) -> tuple[Path, bool]:
    """The settings file, and whether it is the one that need not be there."""
    chosen = os.environ.get(f"{PREFIX}SETTINGS")
    if chosen:
        return Path(chosen), False
    data = given.get("data") or os.environ.get(f"{PREFIX}DATA") or Settings.model_fields["data"].default
    return Path(data) / FILE_NAME, True


def _read_file(path: Path, is_default: bool) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError:
        if is_default:
            return {}
        raise CannotStart(f"There is no settings file {path}.") from None
    except (OSError, UnicodeDecodeError):
        raise CannotStart(f"The settings file {path} cannot be read.") from None
    except tomllib.TOMLDecodeError as error:
        raise CannotStart(f"The settings file {path} is not TOML: {error}.") from None


def _sentence(error: Any, names: dict[str, str], path: Path) -> str:
    """One problem, with the name under which it was set."""
    first, *rest = (str(part) for part in error["loc"])
    name = ".".join([names.get(first, PREFIX + first.upper()), *rest])
    if error["type"] == "extra_forbidden":
        return f"{name} is not a setting.{_did_you_mean(first, list(Settings.model_fields)) if not rest else ''}"
    message = error["msg"].removeprefix("Value error, ").rstrip(".")
    return f"{name}: {message}."
