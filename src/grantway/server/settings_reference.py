"""The settings in words: ``docs/reference/settings.md``, and what ``check-config`` shows.

``python -m grantway.server.settings_reference`` prints the document; a test keeps the file current.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from grantway.server.settings import FILE_NAME, FILE_ONLY, PREFIX, ScopeEntry, Settings

_HEAD = f"""# Settings

Written from `src/grantway/server/settings.py` (`python -m grantway.server.settings_reference`).

Every setting is an environment variable, or a key of one TOML file: `GRANTWAY_SETTINGS` names it, otherwise it is
`{FILE_NAME}` in the data directory if it is there. Options of a command win over the environment, the environment wins over the file,
and an empty variable counts as none. A key or variable that nobody knows stops the start. `grantway check-config` says
everything that is wrong at once.

| variable | key in the file | default | what it is |
|---|---|---|---|
"""

_SCOPES = """
## The scope catalogue

A table for each scope, in the file only. What stands here wins over `grantway scopes add`, word for word.

```toml
[scopes."orders:read"]
sentence.en = "See your orders"
sensitivity = "low"
opens.en = ["Orders of the last twelve months"]
withholds.en = ["Payment details"]
```

| key | default | what it is |
|---|---|---|
"""


def reference() -> str:
    """The document."""
    rows = [f"| `{PREFIX}SETTINGS` | | | Path of the settings file. |"]
    for name, field in Settings.model_fields.items():
        variable = "" if name in FILE_ONLY else f"`{PREFIX}{name.upper()}`"
        rows.append(
            f"| {variable} | `{name}` | {_default(field.default)} | {field.description}{_choices(field.annotation)} |"
        )
    entries = [
        f"| `{name}` | {'required' if field.is_required() else _default(field.default)} | {field.description}{_choices(field.annotation)} |"
        for name, field in ScopeEntry.model_fields.items()
    ]
    return _HEAD + "\n".join(rows) + "\n" + _SCOPES + "\n".join(entries) + "\n"


def in_words(settings: Settings) -> dict[str, Any]:
    """The settings as they are, without secrets."""
    shown: dict[str, Any] = {"issuer": settings.issuer}
    for name in Settings.model_fields:
        value = getattr(settings, name)
        if name == "master_key":
            value = "given" if value else None
        elif name == "database":
            value = None if value is None else settings.database_named
        elif name == "scopes":
            value = sorted(value)
        elif name == "trusted_proxies":
            value = [str(network) for network in value]
        elif isinstance(value, Path):
            value = str(value)
        shown[name] = value
    return shown


def _default(value: Any) -> str:
    return "" if value in (None, (), {}) else f"`{value}`"


def _choices(annotation: Any) -> str:
    if get_origin(annotation) is not Literal:
        return ""
    return f" One of {', '.join(f'`{choice}`' for choice in get_args(annotation))}."


if __name__ == "__main__":
    print(reference(), end="")  # noqa: T201 - this is what it is for
