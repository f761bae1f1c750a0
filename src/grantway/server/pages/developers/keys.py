"""An integration's secrets: two may live at once, each is shown once. And the key that our notices are signed with."""

from __future__ import annotations

from starlette.responses import Response

from grantway.protocol import portal
from grantway.protocol.administration.answers import Rejected
from grantway.protocol.administration.client_secrets import name_of
from grantway.protocol.decision import Refusal
from grantway.server.connections.signing import notice_secret
from grantway.server.pages.developers.common import HOME, client_id_of, integration_page, path_of, refused
from grantway.server.pages.visit import Visit


async def show_secrets(visit: Visit) -> Response:
    """Which secrets live, and until when; not what they are."""
    return await _show(visit)


async def _show(
    visit: Visit,
    *,
    new: str | None = None,
    signing: bool = False,
    problem: str | None = None,
) -> Response:
    client_id = client_id_of(visit)
    here = path_of(client_id, "secrets")
    asked = visit.service.consult(portal.integration, visit.visitor.session, client_id, recently=signing)
    found = (await asked).answer
    if isinstance(found, Refusal):
        return refused(visit, found, here)
    values = {
        "secrets": [(name_of(secret), secret) for secret in reversed(found.secrets)],
        "new_secret": new,
        "notice_secret": notice_secret(found.at_work.client, visit.service.vault) if signing else None,
        "problem": problem,
    }
    return await integration_page(
        visit, "integration_secrets.html", found.at_work, values, status=422 if problem else 200
    )


async def make_secret(visit: Visit) -> Response:
    """A new one, shown on this answer and never again."""
    client_id = client_id_of(visit)
    here = path_of(client_id, "secrets")
    await visit.form(again=here)
    answer = (await visit.service.settle(portal.new_secret, visit.visitor.session, client_id)).answer
    if isinstance(answer, Refusal):
        return refused(visit, answer, here)
    if isinstance(answer, Rejected):
        return await _show(visit, problem=answer.sentence)
    return await _show(visit, new=answer.client_secret)


async def end_secret(visit: Visit) -> Response:
    """One of two works no more."""
    client_id = client_id_of(visit)
    here = path_of(client_id, "secrets")
    name = (await visit.form(again=here)).one("secret") or ""
    answer = (await visit.service.settle(portal.end_secret, visit.visitor.session, client_id, name)).answer
    if isinstance(answer, Refusal):
        return refused(visit, answer, here)
    if isinstance(answer, Rejected):
        return await _show(visit, problem=answer.sentence)
    return visit.redirect(f"{here}?done=ended")


async def show_signing(visit: Visit) -> Response:
    """The key that notices are signed with, on demand."""
    await visit.form(again=path_of(client_id_of(visit), "secrets"))
    return await _show(visit, signing=True)


_SECRETS = HOME + "/{client_id}/secrets"
PAGES = [
    ("GET", _SECRETS, show_secrets),
    ("POST", _SECRETS, make_secret),
    ("POST", _SECRETS + "/end", end_secret),
    ("POST", _SECRETS + "/signing", show_signing),
]
