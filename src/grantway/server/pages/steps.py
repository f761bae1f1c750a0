"""What ``next_step`` asks for, as pages: sign in, pick an account, Allow or Deny, or back to the client."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from starlette.responses import Response

from grantway.protocol.authorize import AskAccount, AskConsent, AskSignIn, SendBack, TellSuspended
from grantway.protocol.decision import Decision, Refusal
from grantway.protocol.facts import Facts
from grantway.protocol.model import Client, Scope
from grantway.protocol.moment import Moment
from grantway.server.pages import problems
from grantway.server.pages.assets import icons_of
from grantway.server.pages.destination import destination_of
from grantway.server.pages.problems import stop
from grantway.server.pages.visit import Visit
from grantway.wire.dialects import phonecom, square, standard, sunshine

_DIALECTS = {"standard": standard, "sunshine": sunshine, "square": square, "phonecom": phonecom}


async def answer_step(
    visit: Visit, pending_id: str, step: AskSignIn | AskAccount | AskConsent | TellSuspended | SendBack | Refusal
) -> Response:
    """The response that this step asks for."""
    match step:
        case AskSignIn():
            return visit.redirect(f"/sign-in?request={pending_id}")
        case AskAccount():
            return await _ask_account(visit, pending_id, step)
        case AskConsent():
            return await _ask_consent(visit, pending_id, step)
        case TellSuspended():
            return await _tell_suspended(visit, pending_id, step)
        case SendBack():
            return send_back(visit, step)
        case Refusal():
            raise stop(problems.NOBODY_SIGNED_IN if step.reason == "login_required" else problems.REQUEST_GONE, step)


def send_back(visit: Visit, step: SendBack) -> Response:
    """The customer's browser goes back to the client, in the client's dialect."""
    answer, issued = step.answer, step.issued
    if issued is not None:
        answer = replace(answer, token=visit.service.mint.token_answer(issued))
        visit.service.metrics.issued("implicit", issued.client.policy.access_token_format)
    return visit.send_away(_DIALECTS[step.dialect].write_authorization_answer(answer))


async def icons(visit: Visit, clients: Iterable[Client]) -> dict[bytes, str]:
    """The digests of these clients' icons, by row id."""
    decision = await visit.service.consult(icons_of, frozenset(client.id for client in clients))
    return decision.answer


async def catalogue_of(facts: Facts, at: Moment) -> Decision[dict[str, Scope]]:
    """The scopes, by name."""
    return Decision({scope.name: scope for scope in await facts.scopes()})


async def scopes_of(visit: Visit, names: Iterable[str]) -> tuple[Scope, ...]:
    """The scopes of these names. One that has left the catalogue is told by its name."""
    catalogue = (await visit.service.consult(catalogue_of)).answer
    return tuple(catalogue.get(name) or Scope(name, {}) for name in names)


async def _ask_account(visit: Visit, pending_id: str, step: AskAccount) -> Response:
    choices = [
        {
            "account": account,
            "role": membership.role,
            "obstacle": step.obstacles.get(account.id),
        }
        for membership, account in step.choices
    ]
    choices.sort(key=lambda choice: choice["obstacle"] is not None)  # those that can be picked come first
    values = {
        "client": step.client,
        "user": step.user,
        "choices": choices,
        "possible": any(choice["obstacle"] is None for choice in choices),
        "personal": step.personal,
        "pending_id": pending_id,
        "csrf": visit.token("session"),
        "icons": await icons(visit, [step.client]),
    }
    return visit.page("account.html", values, form_target=step.redirect_uri)


async def _ask_consent(visit: Visit, pending_id: str, step: AskConsent) -> Response:
    asked = {scope.name for scope in step.scopes}
    # What is the customer's own has nothing to do with what is connected to the account already.
    connection = None if step.personal else step.connection
    had = connection.scope if connection else ()
    kept = await scopes_of(visit, (name for name in had if name not in asked and name not in step.lost))
    values = {
        "client": step.client,
        "user": step.user,
        "account": step.account,
        "connected": connection,
        "personal": step.personal,
        "new_scopes": tuple(scope for scope in step.scopes if scope.name not in had),
        "known_scopes": tuple(scope for scope in step.scopes if scope.name in had) + kept,
        "lost_scopes": await scopes_of(visit, step.lost),
        "several_accounts": step.several_accounts,
        "destination": destination_of(step.redirect_uri),
        "optional": step.optional,
        "resumes": step.resumes,
        "shown": step.shown,
        "pending_id": pending_id,
        "csrf": visit.token("session"),
        "icons": await icons(visit, [step.client]),
    }
    return visit.page("consent.html", values, form_target=step.redirect_uri)


async def _tell_suspended(visit: Visit, pending_id: str, step: TellSuspended) -> Response:
    values = {
        "client": step.client,
        "user": step.user,
        "account": step.account,
        "several_accounts": step.several_accounts,
        "by_operator": step.by_operator,
        "pending_id": pending_id,
        "csrf": visit.token("session"),
        "icons": await icons(visit, [step.client]),
    }
    return visit.page("suspended.html", values, form_target=step.redirect_uri)
