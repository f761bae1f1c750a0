"""How a peer's program tells what it made. It runs in the peer's own environment: standard library only."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

REDIRECT_URI = "https://integration.example/callback"
SCOPE = "contacts:read contacts:write calls:write"
VERIFIER = "v" * 43
CHALLENGE = "7w_YNF9DSfIdPf_pRjSq646_kPr-2-o9NAl16JGghdM"
EXCHANGE = f"&redirect_uri={REDIRECT_URI}&code_verifier={VERIFIER}"
CLIENT_CREDENTIALS = "grant_type=client_credentials&scope=contacts:read"


def write_material(folder: Path, said: dict[str, Any], files: Mapping[str, Iterable[str]]) -> None:
    """The files of one token a line, and then the rest: whoever sees ``material.json`` sees all."""
    for name, tokens in files.items():
        (folder / name).write_text("".join(f"{token}\n" for token in tokens))
    (folder / "material.json").write_text(json.dumps(said))
