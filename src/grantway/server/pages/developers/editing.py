"""Changing an integration, and its picture."""

from __future__ import annotations

import asyncio
import hashlib

from starlette.responses import Response

from grantway.protocol import portal
from grantway.protocol.administration.answers import Rejected
from grantway.protocol.administration.client_changes import ClientChange
from grantway.protocol.decision import Refusal
from grantway.protocol.policy import PROFILES
from grantway.protocol.portal import Integration
from grantway.server.icons import LARGEST_UPLOAD, encode_icon
from grantway.server.pages.developers.common import HOME, client_id_of, integration_page, path_of, refused
from grantway.server.pages.developers.fields import Fields, check_remove_url
from grantway.server.pages.upload import read_upload
from grantway.server.pages.visit import Visit
from grantway.wire.sentence import said_by


async def show_form(visit: Visit) -> Response:
    """The form, filled in as it is now. It says which changes an operator has to approve."""
    client_id = client_id_of(visit)
    found = (await visit.service.consult(portal.integration, visit.visitor.session, client_id)).answer
    if isinstance(found, Refusal):
        return refused(visit, found, path_of(client_id, "edit"))
    return await _form(visit, found, Fields.of(found.at_work.client))


async def save(visit: Visit) -> Response:
    """The integration as it is from now on."""
    client_id = client_id_of(visit)
    here = path_of(client_id, "edit")
    sent = await visit.form(again=here)
    found = (await visit.service.consult(portal.integration, visit.visitor.session, client_id)).answer
    if isinstance(found, Refusal):
        return refused(visit, found, here)
    fields = Fields.read(sent, found.scopes)
    problem = check_remove_url(visit, fields.remove_url)
    if problem is not None:
        return await _form(visit, found, fields, problem)
    change = ClientChange(
        name=fields.name,
        redirect_uris=fields.redirect_uris,
        remove_url=fields.remove_url,
        scopes=fields.scopes,
        default_scopes=fields.default_scopes,
        required_scopes=fields.required_scopes,
        profile=fields.profile or None,
    )
    edited = await visit.service.settle(portal.edit, visit.visitor.session, client_id, change, fields.version)
    answer = edited.answer
    if isinstance(answer, Refusal):
        return refused(visit, answer, here)
    if isinstance(answer, Rejected):
        visit.reason = answer.reason
        return await _form(visit, found, fields, answer.sentence)
    draft_again = found.at_work.client.approved_at is not None and answer.approved_at is None
    return visit.redirect(f"{path_of(client_id)}?done={'draft' if draft_again else 'saved'}")


async def save_icon(visit: Visit) -> Response:
    """Another picture, drawn anew by us."""
    client_id = client_id_of(visit)
    here = path_of(client_id, "edit")
    picture = await read_upload(visit, "icon", LARGEST_UPLOAD, again=here)
    found = (await visit.service.consult(portal.integration, visit.visitor.session, client_id)).answer
    if isinstance(found, Refusal):
        return refused(visit, found, here)
    try:
        png = await asyncio.to_thread(encode_icon, picture)
    except ValueError as problem:
        return await _form(visit, found, Fields.of(found.at_work.client), said_by(problem))
    digest = hashlib.sha256(png).hexdigest()
    answer = (await visit.service.settle(portal.set_icon, visit.visitor.session, client_id, png, digest)).answer
    if isinstance(answer, Refusal):
        return refused(visit, answer, here)
    if isinstance(answer, Rejected):
        return await _form(visit, found, Fields.of(found.at_work.client), answer.sentence)
    draft_again = found.at_work.client.approved_at is not None and answer.approved_at is None
    return visit.redirect(f"{path_of(client_id)}?done={'draft' if draft_again else 'saved'}")


async def _form(visit: Visit, found: Integration, fields: Fields, problem: str | None = None) -> Response:
    values = {"fields": fields, "profiles": tuple(PROFILES), "catalogue": found.scopes, "problem": problem}
    return await integration_page(
        visit, "integration_edit.html", found.at_work, values, status=200 if problem is None else 422
    )


_INTEGRATION = HOME + "/{client_id}"
PAGES = [
    ("GET", _INTEGRATION + "/edit", show_form),
    ("POST", _INTEGRATION + "/edit", save),
    ("POST", _INTEGRATION + "/icon", save_icon),
]
