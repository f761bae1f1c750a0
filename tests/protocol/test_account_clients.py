"""The clients of an account, managed with a token that reaches them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from grantway.protocol import account_clients
from grantway.protocol.account_clients import number_of
from grantway.protocol.administration.aftermath import remove_connections
from grantway.protocol.decision import Add
from grantway.protocol.digests import digest
from grantway.protocol.lifecycle import suspend
from grantway.protocol.model import Account, Client, ClientSecret, Connection, Developer
from grantway.wire.account_client_messages import (
    AccountClientAnswer,
    AccountClientEndAnswer,
    AccountClientRequest,
    RedirectUriAnswer,
    RedirectUriRequest,
)
from tests.helpers.stage import ISSUER, REDIRECT_URI, Integration, Stage, Tokens, refused

VOIP_ID = "706656"
MORE = "https://client.example/more"


@pytest.fixture
def stage() -> Stage:
    stage = Stage()
    stage.acme = stage.amend(stage.acme, external_ids={"phonecom": VOIP_ID})
    return stage


@pytest.fixture
def by(stage: Stage) -> Integration:
    """An integration of nobody's, which Ada lets do anything for Acme."""
    return stage.phonecom("Manager")


@pytest.fixture
def tokens(stage: Stage, by: Integration) -> Tokens:
    return stage.connect(by)


def own(stage: Stage, name: str = "Dialer", account: Account | None = None) -> Client:
    """A client that belongs to Acme, or to another account."""
    made = stage.phonecom(name).client
    client: Client = stage.amend(made, account_id=(account or stage.acme).id)
    return client


def call(stage: Stage, rule: Callable[..., Any], tokens: Tokens, client: Client | None = None, **more: Any) -> Any:
    number = None if client is None else number_of(client)
    request = AccountClientRequest(VOIP_ID, tokens.access, number, **more)
    return stage.decide(rule, request, "phonecom", ISSUER)


def add(stage: Stage, tokens: Tokens, client: Client, uri: str = MORE) -> Any:
    request = RedirectUriRequest(VOIP_ID, number_of(client), uri, tokens.access)
    return stage.decide(account_clients.add_redirect_uri, request, "phonecom", ISSUER)


def test_they_are_listed_newest_first_a_window_at_a_time(stage: Stage, tokens: Tokens) -> None:
    made = []
    for name in ("One", "Two", "Three"):
        made.append(own(stage, name))
        stage.wait(seconds=1)
    own(stage, "Other", stage.house.account("Other"))
    stage.amend(own(stage, "Gone"), ended_at=stage.clock())
    answer = call(stage, account_clients.list_clients, tokens, offset=1, limit=1).answer
    assert answer.clients == (AccountClientAnswer(number_of(made[1]), "Two"),)
    assert (answer.total, answer.offset, answer.limit) == (3, 1, 1)
    assert call(stage, account_clients.list_clients, tokens, offset=3).answer.clients == ()


def test_the_number_of_a_client_is_its_own_and_exact_in_json(stage: Stage, tokens: Tokens) -> None:
    clients = [own(stage, str(n)) for n in range(20)]
    numbers = {number_of(client) for client in clients}
    assert len(numbers) == 20
    assert all(0 < number < 2**48 for number in numbers)
    assert call(stage, account_clients.show_client, tokens, clients[7]).answer.number == number_of(clients[7])


def test_a_client_can_be_ended_and_its_own_accounts_connection_goes_after_it(stage: Stage, tokens: Tokens) -> None:
    client = own(stage)
    stage.connect(_with_secret(stage, client))
    assert call(stage, account_clients.end_own_client, tokens, client).answer == AccountClientEndAnswer()
    assert stage.stored(Client, client.id).ended_at == stage.clock()
    assert stage.decide(remove_connections).answer == 1
    assert call(stage, account_clients.list_clients, tokens).answer.total == 0
    refused(call(stage, account_clients.end_own_client, tokens, client), "not_found", "client_unknown")


def test_a_client_that_others_have_connected_is_not_taken_away_from_them(stage: Stage, tokens: Tokens) -> None:
    client = own(stage)
    other = stage.house.account("Other")
    stage.connect(_with_secret(stage, client), stage.user("Grace", "owner", other), other)
    refused(call(stage, account_clients.end_own_client, tokens, client), "conflict", "client_in_use")
    assert stage.stored(Client, client.id).ended_at is None


def test_redirect_uris_are_listed_added_shown_and_removed(stage: Stage, tokens: Tokens) -> None:
    client = own(stage)
    told = AccountClientAnswer(number_of(client), "Dialer")
    first = RedirectUriAnswer(number_of(client, REDIRECT_URI), REDIRECT_URI, told)
    second = RedirectUriAnswer(number_of(client, MORE), MORE, told)
    assert add(stage, tokens, client).answer == second
    listed = call(stage, account_clients.list_redirect_uris, tokens, client).answer
    assert (listed.redirect_uris, listed.total) == ((first, second), 2)
    shown = call(stage, account_clients.show_redirect_uri, tokens, client, uri=second.number)
    assert shown.answer == second
    call(stage, account_clients.remove_redirect_uri, tokens, client, uri=first.number)
    assert stage.stored(Client, client.id).redirect_uris == (MORE,)
    for rule in (account_clients.show_redirect_uri, account_clients.remove_redirect_uri):
        refused(call(stage, rule, tokens, client, uri=first.number), "not_found", "redirect_uri_unknown")


def test_adding_one_twice_changes_nothing(stage: Stage, tokens: Tokens) -> None:
    client = own(stage)
    first = add(stage, tokens, client).answer
    again = add(stage, tokens, client)
    assert (again.answer, again.reason, again.changes) == (first, "unchanged", ())


def test_what_cannot_be_registered_by_others_cannot_be_here(stage: Stage, tokens: Tokens) -> None:
    client = own(stage)
    for uri in ("http://client.example/", "javascript:alert(1)", "https://client.example/#x", ""):
        refused(add(stage, tokens, client, uri), "unprocessable", "client_malformed")


def test_the_last_redirect_uri_of_a_client_in_a_browser_stays(stage: Stage, tokens: Tokens) -> None:
    client = stage.amend(own(stage), confidential=False, secrets=())
    number = number_of(client, REDIRECT_URI)
    decision = call(stage, account_clients.remove_redirect_uri, tokens, client, uri=number)
    refused(decision, "conflict", "client_malformed")


def test_who_sends_browsers_somewhere_new_has_to_be_approved_anew(stage: Stage, tokens: Tokens) -> None:
    """Whoever holds a token of the account could otherwise have other accounts' codes sent to themselves."""
    client = own(stage)
    add(stage, tokens, client)
    assert stage.stored(Client, client.id).approved_at is None
    with_secret = _with_secret(stage, stage.stored(Client, client.id))
    stage.connect(with_secret)  # Acme's own
    other = stage.house.account("Other")
    grace = stage.user("Grace", "owner", other)
    visitor = stage.browser(grace)
    step = stage.step(stage.open(with_secret, visitor), visitor).answer
    assert step.obstacles == {other.id: "draft"}


def test_a_draft_of_a_developer_is_the_developers_and_not_the_accounts(stage: Stage, tokens: Tokens) -> None:
    client = own(stage)
    grace = stage.user("Grace", "member")
    stage.make_true(Add(Developer(client.id, grace.id, stage.clock())))
    add(stage, tokens, client)
    visitor = stage.browser(stage.ada)
    drafted = _with_secret(stage, stage.stored(Client, client.id))
    assert stage.step(stage.open(drafted, visitor), visitor).answer.obstacles == {stage.acme.id: "draft"}


def test_removing_one_needs_no_approval_and_is_written_down(stage: Stage, tokens: Tokens, by: Integration) -> None:
    client = stage.amend(own(stage), redirect_uris=(REDIRECT_URI, MORE))
    call(stage, account_clients.remove_redirect_uri, tokens, client, uri=number_of(client, MORE))
    assert stage.stored(Client, client.id).approved_at is not None
    entry = stage.audited()[-1]
    assert (entry.action, entry.actor) == ("client_changed", f"client:{by.client.client_id}")


RULES = [
    account_clients.list_clients,
    account_clients.show_client,
    account_clients.end_own_client,
    account_clients.list_redirect_uris,
    account_clients.show_redirect_uri,
    account_clients.remove_redirect_uri,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_nobody_else_is_told_or_changes_anything(stage: Stage, tokens: Tokens, by: Integration, rule: Any) -> None:
    client = own(stage)
    other = stage.house.account("Other")
    grace = stage.user("Grace", "owner", other)
    theirs, personal = stage.connect(by, grace, other), stage.connect(by, scope=("extension-user",))
    uri = number_of(client, REDIRECT_URI)
    refused(call(stage, rule, theirs, client, uri=uri), "not_found", "account_of_others")
    refused(call(stage, rule, personal, client, uri=uri), "insufficient_scope", "scope_too_small")
    standard = stage.connect(stage.integration())
    refused(call(stage, rule, standard, client, uri=uri), "invalid_token", "access_token_of_another_dialect")
    if rule is not account_clients.list_clients:
        foreign = own(stage, "Foreign", other)
        refused(call(stage, rule, tokens, foreign, uri=uri), "not_found", "client_unknown")
    stage.decide(suspend, stage.connection_of(tokens).id, "operator")
    refused(call(stage, rule, tokens, client, uri=uri), "access_denied", "connection_suspended")
    assert stage.stored(Client, client.id).redirect_uris == (REDIRECT_URI,)
    assert all(one.removed_at is None for one in stage.all(Connection))


def test_a_client_manages_its_own_account_with_its_own_token(stage: Stage) -> None:
    client = own(stage)
    mine = stage.minted(stage.client_credentials(_with_secret(stage, client)))
    assert call(stage, account_clients.show_client, mine, client).answer.name == "Dialer"
    assert call(stage, account_clients.end_own_client, mine, client).answer == AccountClientEndAnswer()
    refused(call(stage, account_clients.list_clients, mine), "invalid_token", "client_ended")


def _with_secret(stage: Stage, client: Client) -> Integration:
    known = stage.amend(client, secrets=(ClientSecret(digest("a secret of the test"), stage.clock()),))
    return Integration(known, "a secret of the test")
