"""The operators' pages: who may see and do what, what is shown, and what it comes to."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from grantway.protocol.decision import Replace
from grantway.protocol.ids import show
from grantway.server.pages.admin import TABLE
from grantway.server.pages.admin.table import Deed, Sight
from tests.pages.browser import Browser
from tests.pages.conftest import Platform, platform
from tests.pages.operating import HOSTILE, LINK, Operation, Seat
from tests.pages.test_headers import assert_guarded

SIGHTS = [line for line in TABLE if isinstance(line, Sight)]
DEEDS = [line for line in TABLE if isinstance(line, Deed)]


@pytest.fixture
def site() -> Platform:
    return platform(**LINK)


@pytest.fixture
def operation(site: Platform) -> Operation:
    return Operation(site)


@pytest.fixture
def olga(operation: Operation, new_browser: Callable[..., Browser]) -> Seat:
    """An operator, just signed in."""
    return operation.at_browser(new_browser(), operation.user("Olga", operator="operator"))


@pytest.fixture
def vera(operation: Operation, new_browser: Callable[..., Browser]) -> Seat:
    """A viewer."""
    return operation.at_browser(new_browser(), operation.user("Vera", operator="viewer"))


# --- who may


@pytest.mark.parametrize("sight", SIGHTS, ids=lambda sight: sight.path)
def test_a_viewer_sees_every_page_and_no_button_that_changes_anything(
    operation: Operation, vera: Seat, sight: Sight
) -> None:
    seen = vera.get(operation.path(sight.path))
    assert seen.status == 200
    assert_guarded(seen)
    assert [form.action for form in seen.forms.values() if form.method == "post"] == ["/sign-out"]


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.path)
def test_a_viewer_who_presses_all_the_same_changes_nothing(operation: Operation, vera: Seat, deed: Deed) -> None:
    before = operation.audited()
    assert vera.press(operation.path(deed.path)).status == 403
    assert operation.audited() == before


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.path)
def test_an_operator_who_signed_in_long_ago_signs_in_again_first(
    operation: Operation, new_browser: Callable[..., Browser], deed: Deed
) -> None:
    operator = operation.user("Olga", operator="operator")
    seat = operation.at_browser(new_browser(), operator, minutes_ago=16)
    before = operation.audited()
    back = operation.path(deed.seen.path)
    assert seat.press(operation.path(deed.path)).location == f"/sign-in?to={back}&again=1"
    assert operation.audited() == before


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.path)
def test_a_form_that_is_not_ours_changes_nothing(operation: Operation, olga: Seat, deed: Deed) -> None:
    before = operation.audited()
    for csrf in ("", "0" * 64):
        assert olga.press(operation.path(deed.path), csrf=csrf).status == 403
    assert operation.audited() == before


def test_who_is_no_operator_cannot_tell_a_page_from_one_that_is_not_there(
    operation: Operation, new_browser: Callable[..., Browser]
) -> None:
    owner = operation.at_browser(new_browser(), operation.user("Otto", "owner", develops=True))

    def told(path: str) -> str:
        seen = owner.get(path)
        return f"{seen.status} {re.sub('[0-9a-f]{16}', '', seen.html)}"

    for line in SIGHTS:
        assert told(operation.path(line.path)) == told("/nothing-at-all")


def test_who_is_not_signed_in_is_asked_to_and_comes_back(operation: Operation, new_browser: Any) -> None:
    seen = new_browser().get("/admin/audit")
    assert (seen.status, seen.location) == (303, "/sign-in?to=/admin/audit")


@pytest.mark.parametrize("prefix", ["users/us", "accounts/ac", "clients/cl", "connections/cn", "deliveries/nt"])
def test_what_is_not_there_is_the_page_of_what_is_not_there(olga: Seat, prefix: str) -> None:
    for tail in ("_", "_1111111111111111111111", "x" * 500, "%2e%2e"):
        assert olga.get(f"/admin/{prefix}{tail}").status == 404


# --- what is shown


@pytest.mark.parametrize("sight", SIGHTS, ids=lambda sight: sight.path)
def test_names_are_text_whatever_is_in_them(operation: Operation, olga: Seat, sight: Sight) -> None:
    html = olga.get(operation.path(sight.path)).html
    assert "<b title" not in html
    assert "<script" not in html


@pytest.mark.parametrize("sight", SIGHTS, ids=lambda sight: sight.path)
def test_every_page_says_where_one_is_and_has_one_heading(operation: Operation, olga: Seat, sight: Sight) -> None:
    html = olga.get(operation.path(sight.path)).html
    assert re.findall(r'<a href="(\S+)" aria-current="page">', html) == [sight.tab]
    assert html.count("<h1") == 1
    assert html.count("<table>") == html.count("<caption>")
    assert '<a class="skip" href="#content">' in html
    identities = re.findall(r' id="([^"]+)"', html)
    assert len(identities) == len(set(identities))


def test_the_first_page_counts_what_there_is_and_what_waits(operation: Operation, olga: Seat) -> None:
    other = operation.site.house.account("Other")
    operation.connect(operation.client, other, suspended_at=operation.now)
    operation.send("webhook")
    operation.count("refusals", "code_unknown", 3, hours_ago=2)
    operation.count("refusals", "redirect_uri_unregistered", 4, hours_ago=30)
    text = olga.get("/admin").text
    assert "Connections 2 1 suspended" in text
    assert "Integrations 3 drafts included" in text
    assert "Drafts that wait for approval 1" in text
    assert "Deliveries that wait 1 1 given up" in text
    assert "Refusals 3 in the last 24 hours" in text


def test_pictures_reach_as_far_back_as_is_asked(operation: Operation, olga: Seat) -> None:
    operation.count("refusals", "code_unknown", 3, hours_ago=2)
    operation.count("refusals", "redirect_uri_unregistered", 4, hours_ago=30)
    operation.count("tokens", "refresh_token", 5, hours_ago=24 * 80)
    today, week, quarter = (olga.get(f"/admin?days={days}").html for days in (1, 7, 90))
    assert "code_unknown: 3</desc>" in today
    assert "redirect_uri_unregistered: 4, code_unknown: 3</desc>" in week
    assert "refresh_token: 5</desc>" in quarter
    assert "No token was made." in week
    assert 'href="/admin?days=7" aria-current="true"' in week
    assert olga.get("/admin?days=9999").html.count('aria-current="true">24 hours') == 1


def test_a_delivery_is_shown_with_what_was_sent_and_what_was_answered(operation: Operation, olga: Seat) -> None:
    text = olga.get(operation.path("/admin/deliveries/{notice}")).text
    assert '{"told":"<script>"}' in text
    assert "Attempt 1: 500" in text
    assert "<script>alert(1)</script>" in text


def test_a_letter_is_not_read_by_operators(operation: Operation, olga: Seat) -> None:
    letter = operation.send("mail", url="", body=b'{"link":"sealed"}', user_id=operation.site.ada.id)
    html = olga.get(f"/admin/deliveries/{show('nt', letter.id)}").html
    assert "sealed" not in html
    assert "for its reader only" in html


def test_a_secret_is_shown_by_its_age_and_never_itself(operation: Operation, olga: Seat) -> None:
    made = operation.site.helpdesk
    html = olga.get(f"/admin/clients/{made.client.client_id}").html
    assert made.client.secrets[0].digest[:4].hex() in html
    assert made.client.secrets[0].digest.hex() not in html
    assert made.client_secret is not None
    assert made.client_secret not in html


def test_the_catalogue_names_who_uses_a_scope(olga: Seat) -> None:
    text = olga.get("/admin/scopes").text
    read, write = text.partition("tickets.read Read your tickets low")[2].split(
        "tickets.write Answer your tickets high"
    )
    assert sorted(read.strip().split(", ")) == ["Draft", "Helpdesk", f"Helpdesk {HOSTILE}"]
    assert write.split()[0] == "Helpdesk"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", True),
        ("?state=suspended", False),
        ("?client=helpdesk-1", True),
        ("?client=nobody", False),
        ("?account={account}", True),
        ("?account=ac_nobody", False),
        ("?state=all&client=helpdesk-1&account={account}", True),
    ],
)
def test_connections_are_found_by_state_client_and_account(
    operation: Operation, olga: Seat, query: str, found: bool
) -> None:
    html = olga.get(operation.path(f"/admin/connections{query}")).html
    assert (operation.paths["connection"] in html) is found


@pytest.mark.parametrize(
    ("query", "found"),
    [("", True), ("?state=dead", True), ("?state=waiting", False), ("?client=draft-1", False), ("?client=helpdesk-1", True),
     ("?connection={connection}", True), ("?connection=cn_nobody", False)],
)  # fmt: skip
def test_deliveries_are_found_by_state_client_and_connection(
    operation: Operation, olga: Seat, query: str, found: bool
) -> None:
    assert (operation.paths["notice"] in olga.get(operation.path(f"/admin/deliveries{query}")).html) is found


@pytest.mark.parametrize(
    ("query", "found"),
    [("", True), ("?action=client_created&client=helpdesk-1", True), ("?action=client_ended", False), ("?client=nobody", False),
     ("?user=us_x", False), ("?connection={connection}", False)],
)  # fmt: skip
def test_the_audit_is_searched_by_all_that_is_named(operation: Operation, olga: Seat, query: str, found: bool) -> None:
    text = olga.get(operation.path(f"/admin/audit{query}")).text
    assert ("x: " + HOSTILE in text) is found


def test_people_and_accounts_and_integrations_are_found_by_how_they_begin(operation: Operation, olga: Seat) -> None:
    assert "ada@example.com" in olga.get("/admin/users?email=ADA%40").html
    assert "ada@example.com" not in olga.get("/admin/users?email=bob").html
    assert "Acme" in olga.get("/admin/accounts?name=Ac").html
    assert "Acme" not in olga.get("/admin/accounts?name=B").html
    assert "draft-1" in olga.get("/admin/clients?name=Dr").html
    assert "draft-1" not in olga.get("/admin/clients?name=X").html


@pytest.mark.parametrize("path", ["/admin/users", "/admin/accounts", "/admin/connections?state=all", "/admin/audit"])
def test_a_listing_is_walked_page_by_page_to_its_end(operation: Operation, olga: Seat, path: str) -> None:
    for number in range(60):
        operation.site.house.user(f"u{number}@example.com", f"U{number}")
        operation.connect(operation.client, operation.site.house.account(f"A{number}"))
    rows, pages = [], 0
    while path:
        html = olga.get(path).html
        found = re.findall(r"<tr>\s*(?:<th scope=\"row\">|<td class=\"tight\">).*?</tr>", html, re.DOTALL)
        assert 0 < len(found) <= 50
        rows += found
        pages += 1
        older = re.search(r'<a href="([^"]+)" rel="next">', html)
        path = older[1].replace("&amp;", "&") if older else ""
    assert pages >= 2
    assert len(rows) >= 60
    if "audit" not in html:
        assert len(rows) == len(set(rows))


# --- what is done


def test_an_operator_suspends_resumes_and_removes_a_connection_and_the_audit_says_who_and_why(
    operation: Operation, olga: Seat
) -> None:
    here = operation.path("/admin/connections/{connection}")
    olgas = show("us", operation.stored(lambda facts: facts.user_by_email("olga@example.com")).id)

    assert olga.press(f"{here}/suspend", word="they asked <b>").location == f"{here}?done=suspended"
    entry = operation.audited()
    assert (entry.action, entry.reason, entry.actor) == ("connection_suspended", "operator", olgas)
    assert entry.detail["word"] == "they asked <b>"
    assert "they asked <b>" in olga.get(here).text

    assert olga.press(f"{here}/resume").location == f"{here}?done=resumed"
    assert olga.press(f"{here}/remove").location == f"{here}?done=removed"
    seen = olga.get(f"{here}?done=removed")
    assert "Removed." in seen.text
    assert [form.action for form in seen.forms.values()] == ["/sign-out"]
    assert olga.press(f"{here}/remove").status == 404


def test_a_draft_is_approved_as_it_was_looked_at(operation: Operation, olga: Seat) -> None:
    here = f"/admin/clients/{operation.draft.client_id}"
    form = olga.get(here).form("/approve")
    changed = replace(operation.draft, name="Other", version=2)
    operation.site.do(Replace(changed))
    seen = olga.press(form.action, **form.fields)
    assert seen.status == 422
    assert "It was changed in the meantime." in seen.text
    form = olga.get(here).form("/approve")
    assert olga.press(form.action, **form.fields).location == f"{here}?done=approved"
    assert operation.stored(lambda facts: facts.client("draft-1")).approved_at is not None


def test_a_draft_is_sent_back_with_a_word(operation: Operation, olga: Seat) -> None:
    here = f"/admin/clients/{operation.draft.client_id}"
    assert olga.press(f"{here}/send-back", version="1", missing="").status == 422
    assert olga.press(f"{here}/send-back", version="1", missing="Who are you?").status == 303
    assert "Who are you?" in olga.get(here).text


def test_an_integration_is_switched_off_and_on_and_ended(operation: Operation, olga: Seat) -> None:
    here = operation.path("/admin/clients/{client}")
    for deed, action in (("disable", "client_disabled"), ("enable", "client_enabled"), ("end", "client_ended")):
        operation.site.house.clock.turn(seconds=1)
        assert olga.press(f"{here}/{deed}", word="why").status == 303
        assert (operation.audited().action, operation.audited().detail["word"]) == (action, "why")
    assert olga.press(f"{here}/end").status == 422


def test_dead_deliveries_are_sent_again_one_or_a_hundred(operation: Operation, olga: Seat) -> None:
    here = operation.path("/admin/deliveries/{notice}")
    assert olga.press(f"{here}/replay").location == f"{here}?done=replayed"
    assert operation.stored(lambda facts: facts.notice(operation.notice.id)).dead_at is None
    for _ in range(101):
        operation.send("remove_url", dead_at=operation.now)
    client = operation.path("/admin/clients/{client}")
    first = olga.press(f"{client}/replay-dead")
    assert len(dead(operation)) == 1
    assert first.location.startswith(f"{client}?done=replayed-some&sent=100&left_out=0&after=nt_")
    page = olga.get(first.location)
    assert "sent again in a moment: 100." in page.text
    rest = olga.browser.send(page.form("/replay-dead"))
    assert rest.location == f"{client}?done=replayed-some&sent=1&left_out=0"
    assert dead(operation) == ()


def test_those_without_a_receiver_are_counted_and_not_in_the_way(operation: Operation, olga: Seat) -> None:
    for _ in range(120):
        operation.send("webhook", dead_at=operation.now, webhook_id=b"w" * 16)
    client = operation.path("/admin/clients/{client}")
    answer = olga.press(f"{client}/replay-dead")
    assert answer.location == f"{client}?done=replayed-some&sent=1&left_out=120"
    assert "to any more: 120." in olga.get(answer.location).text
    assert operation.stored(lambda facts: facts.notice(operation.notice.id)).dead_at is None


@pytest.mark.parametrize("number", ["", "-1", "1e9", "%25d", "²", "1" * 5000])
def test_an_address_that_tells_no_number_is_shown_with_none(operation: Operation, olga: Seat, number: str) -> None:
    client = operation.path("/admin/clients/{client}")
    seen = olga.get(f"{client}?done=replayed-some&sent={number}&left_out=x&after={number}")
    assert "sent again in a moment: 0." in seen.text


def dead(operation: Operation) -> Any:
    return operation.stored(lambda facts: facts.notices(state="dead"))


def test_a_delivery_that_has_nobody_to_reach_stays_as_it_is(operation: Operation, olga: Seat) -> None:
    gone = operation.send("webhook", dead_at=operation.now, webhook_id=b"w" * 16)
    seen = olga.press(f"/admin/deliveries/{show('nt', gone.id)}/replay")
    assert seen.status == 422
    assert "There is nobody to send it to" in seen.text


def test_somebody_is_signed_out_switched_off_and_on(operation: Operation, olga: Seat, new_browser: Any) -> None:
    ada = operation.at_browser(new_browser(), operation.site.ada)
    here = operation.path("/admin/users/{user}")
    assert "Firefox" in olga.get(here).text
    assert olga.press(f"{here}/sign-out").location == f"{here}?done=signed-out"
    assert ada.get("/connections").status == 303
    assert olga.press(f"{here}/disable").status == 303
    assert "Switched off" in olga.get(here).text
    assert olga.press(f"{here}/send-link").status == 422
    assert olga.press(f"{here}/enable").status == 303


def test_somebody_is_invited_and_helped_to_a_password(operation: Operation, olga: Seat) -> None:
    assert (
        olga.press("/admin/users/invite", email="nina@example.com", name="Nina").location == "/admin/users?done=written"
    )
    assert olga.press("/admin/users/invite", email="nobody", name="Nina").status == 422
    here = operation.path("/admin/users/{user}")
    for _ in range(2):
        assert olga.press(f"{here}/send-link").location == f"{here}?done=written"
    (link,) = operation.stored(lambda facts: facts.links_of(operation.site.ada.id))
    assert link.purpose == "password"


def test_an_account_is_suspended_and_resumed(operation: Operation, olga: Seat) -> None:
    here = operation.path("/admin/accounts/{account}")
    assert olga.press(f"{here}/suspend").location == f"{here}?done=suspended"
    assert "Resume" in olga.get(here).text
    assert olga.press(f"{here}/resume").location == f"{here}?done=resumed"
    assert operation.audited().actor.startswith("us_")


def test_signing_keys_are_rotated_in_turn_or_at_once(operation: Operation, olga: Seat) -> None:
    assert olga.press("/admin/keys/rotate").location == "/admin/keys?done=rotated"
    assert olga.press("/admin/keys/rotate").status == 303  # the first one signed at once: there was none before
    seen = olga.press("/admin/keys/rotate")
    assert seen.status == 422
    assert "is published already" in seen.text
    assert olga.press("/admin/keys/rotate", leaked="1").status == 303
    assert len(operation.stored(lambda facts: facts.signing_keys())) == 1


def test_an_operator_key_is_shown_once_and_revoked(operation: Operation, olga: Seat) -> None:
    assert olga.press("/admin/keys/create", name="Nightly").status == 422
    fields = {"name": "Nightly", "days": "30", "users:read": "1", "not:there": "1"}
    made = olga.press("/admin/keys/create", **fields)
    (text,) = re.findall(r"gwo_[A-Za-z0-9]+", made.html)
    listing = olga.get("/admin/keys")
    assert text not in listing.html
    key = operation.stored(lambda facts: facts.operator_keys())[0]
    assert (key.name, key.scopes) == ("Nightly", ("users:read",))
    assert key.expires_at is not None
    assert olga.press("/admin/keys/revoke", key=show("ok", key.id)).location == "/admin/keys?done=revoked"
    assert olga.press("/admin/keys/revoke", key="ok_x").status == 422


def test_operators_are_added_with_a_link_and_removed_but_nobody_removes_themselves(
    operation: Operation, olga: Seat
) -> None:
    made = olga.press("/admin/operators/add", email="oskar@example.com", name="Oskar", role="viewer")
    (link,) = re.findall(r"https://auth\.example(/links/[A-Za-z0-9_-]+)", made.html)
    assert olga.get(link).status == 200
    oskar = operation.stored(lambda facts: facts.user_by_email("oskar@example.com"))
    assert operation.stored(lambda facts: facts.operator(oskar.id)).role == "viewer"
    assert olga.press("/admin/operators/remove", user=show("us", oskar.id)).status == 303
    assert operation.stored(lambda facts: facts.operator(oskar.id)) is None
    myself = operation.stored(lambda facts: facts.user_by_email("olga@example.com"))
    assert "cannot remove yourself" in olga.press("/admin/operators/remove", user=show("us", myself.id)).text
    seen = olga.press("/admin/operators/add", email=" OLGA@example.com", name="Olga", role="viewer")
    assert "cannot change your own role" in seen.text


def test_a_reason_that_is_too_long_is_no_reason(operation: Operation, olga: Seat) -> None:
    here = operation.path("/admin/connections/{connection}")
    assert olga.press(f"{here}/remove", word="x" * 201).status == 422
    assert operation.stored(lambda facts: facts.connection(operation.connection.id)).connection.removed_at is None
