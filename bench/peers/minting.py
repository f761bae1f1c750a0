"""Material of peers whose grants come only from their own consent: codes from a flow, tokens from codes."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.material import REDIRECT_URI, VERIFIER, write_material
from bench.peers.browser import Browser, often
from bench.systems import Amounts, Caller


def mint(
    folder: Path,
    amounts: Amounts,
    flow: Callable[[Browser], str],
    token_url: str,
    user: Caller,
    said: dict[str, Any],
) -> None:
    """Codes by the flow; those that are not for the load are exchanged at the token endpoint."""
    proof = base64.b64encode(f"{user.id}:{user.secret}".encode()).decode()

    def grant(browser: Browser) -> tuple[str, str]:
        form = {
            "grant_type": "authorization_code",
            "code": flow(browser),
            "redirect_uri": REDIRECT_URI,
            "code_verifier": VERIFIER,
        }
        answer = browser.ask("POST", token_url, form, headers={"Authorization": f"Basic {proof}"})
        return answer.json["access_token"], answer.json["refresh_token"]

    counts = (amounts.refresh_tokens, amounts.access_tokens, amounts.revocable, amounts.races)
    grants = iter(often(sum(counts), grant))
    refresh, access, revocable, races = ([next(grants) for _ in range(count)] for count in counts)
    files = {
        "refresh_tokens": [token for _, token in refresh],
        "access_tokens": [token for token, _ in access],
        "revocable": [token for _, token in revocable],
        "races": [token for _, token in races],
        "codes": often(amounts.codes, flow),
    }
    write_material(folder, said, files)
