"""The lines of docs/how-to/verify-a-webhook.md do what they say."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from grantway.server.connections.signing import sign

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "verify-a-webhook.md"
KEY, OTHER = bytes(range(32)), bytes(32)
SECRET = "whsec_" + base64.b64encode(KEY).decode()


@pytest.fixture(scope="module")
def is_ours() -> Callable[..., bool]:
    (code,) = re.findall(r"^   ```python\n(.*?)^   ```", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(dedent(code), names)  # noqa: S102 - a document of ours
    found: Callable[..., bool] = names["is_ours"]
    return found


def test_what_we_sign_is_ours(is_ours: Callable[..., bool]) -> None:
    assert is_ours(SECRET, sign((KEY,), "nt_1", datetime.now(UTC), b"{}"), b"{}")


@pytest.mark.parametrize("keys", [(KEY, OTHER), (OTHER, KEY)])
def test_one_of_two_signatures_is_enough(is_ours: Callable[..., bool], keys: tuple[bytes, ...]) -> None:
    assert is_ours(SECRET, sign(keys, "nt_1", datetime.now(UTC), b"{}"), b"{}")


def test_what_others_sign_what_was_changed_and_what_is_old_is_not(is_ours: Callable[..., bool]) -> None:
    now = datetime.now(UTC)
    assert not is_ours(SECRET, sign((OTHER,), "nt_1", now, b"{}"), b"{}")
    assert not is_ours(SECRET, sign((KEY,), "nt_1", now, b"{}"), b"[]")
    assert not is_ours(SECRET, sign((KEY,), "nt_1", now - timedelta(minutes=6), b"{}"), b"{}")
    assert not is_ours(SECRET, sign((KEY,), "nt_1", now, b"{}") | {"webhook-id": "nt_2"}, b"{}")
    assert not is_ours(SECRET, {}, b"{}")
