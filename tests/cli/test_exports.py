"""Whatever stands in a file: it is read, or refused with a sentence, and what is read is decided about."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grantway.cli.exports import django_oauth_toolkit, hydra, keycloak
from grantway.cli.exports.reading import Broken, Entry, Unfit
from grantway.protocol.decision import Decision
from grantway.protocol.moving_in import MovedIn, OlderClient, Terms, import_client
from tests.cli.test_client_import import FILES
from tests.helpers.stage import Stage

READERS: dict[str, Callable[[Any], Iterator[Entry]]] = {
    "hydra": hydra.read,
    "keycloak": keycloak.read,
    "django-oauth-toolkit": django_oauth_toolkit.read,
}
EXPORTS = {source: json.loads(file.read_text()) for source, file in FILES.items()}
TEXTS = st.text(max_size=20) | st.sampled_from(
    ["https://client.example/cb", "$2a$10$", "pbkdf2_sha256$1$s$A", "0", "9" * 40, "none", "authorization_code", "true"]
)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
STAGE = Stage()


def outcome(older: OlderClient) -> MovedIn:
    """What the rule would make of it."""

    async def question(facts: Any, at: Any) -> Decision[MovedIn]:
        return Decision((await import_client(facts, at, older, Terms("test", create_scopes=True))).answer)

    return STAGE.decide(question).answer


def assert_decided(source: str, value: Any) -> None:
    for entry in entries(source, value):
        if isinstance(entry, OlderClient):
            moved = outcome(entry)
            assert (moved.outcome == "failed") == (moved.why is not None)
        else:
            assert entry.why.endswith(".")


def entries(source: str, value: Any) -> list[Entry]:
    try:
        return list(READERS[source](value))
    except Unfit as unfit:
        return [Broken(None, str(unfit))]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield (*path, key)
        yield from places(inner, (*path, key))


@pytest.mark.parametrize("source", READERS)
@given(value=JSON)
def test_any_value_at_all_is_read_or_refused(source: str, value: Any) -> None:
    assert_decided(source, value)


@pytest.mark.parametrize("source", READERS)
@given(data=st.data())
def test_an_export_with_anything_in_any_place_is_read_or_refused(source: str, data: st.DataObject) -> None:
    value = deepcopy(EXPORTS[source])
    path = data.draw(st.sampled_from(list(places(value))))
    place = value
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = data.draw(JSON)
    assert_decided(source, value)
