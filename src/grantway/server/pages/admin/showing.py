"""How a line of the table becomes an address: who may, then the form, then the rule, then a page or the way back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from starlette.responses import Response

from grantway.protocol.administration.answers import Rejected
from grantway.protocol.administration.by_operator import ByOperator, act, see
from grantway.protocol.decision import Decision, Refusal
from grantway.protocol.facts import Facts
from grantway.protocol.moment import Moment
from grantway.protocol.sessions import Operating
from grantway.server.links import address_of_link
from grantway.server.pages import problems
from grantway.server.pages.admin.table import Asked, Deed, Sight, number_of
from grantway.server.pages.admin.words import COUNTED, DONE, NO, TABS
from grantway.server.pages.after_sign_in import sign_in_address
from grantway.server.pages.problems import Stop, stop
from grantway.server.pages.visit import Visit
from grantway.wire.encoding import Parameters, read_form
from grantway.wire.errors import LOGIN_REQUIRED

Handler = Callable[[Visit], Awaitable[Response]]


def handlers(table: Iterable[Sight | Deed]) -> list[tuple[str, str, Handler]]:
    """Method, path and handler of each line."""
    found: list[tuple[str, str, Handler]] = []
    for line in table:
        if isinstance(line, Sight):
            found.append(("GET", line.path, partial(_show, line)))
        else:
            found.append(("POST", line.path, partial(_do, line)))
    return found


async def _show(sight: Sight, visit: Visit) -> Response:
    loaded = await _load(visit, sight, _asked(visit, sight.path))
    return loaded if isinstance(loaded, Response) else _page(visit, sight, *loaded)


async def _do(deed: Deed, visit: Visit) -> Response:
    asked = _asked(visit, deed.seen.path)
    # Who may not even see this is told that it is not there, whatever form they send.
    before = await _load(visit, deed.seen, asked)
    if isinstance(before, Response):
        return before
    form = await visit.form(again=asked.here)
    asked = replace(asked, form=form, prepared=deed.prepare(visit.service) if deed.prepare else None)

    async def decided(facts: Facts, at: Moment, operating: Operating) -> Decision[Any]:
        return await deed.do(facts, at, asked, operating)

    answer = (await visit.service.settle(act, visit.visitor.session, decided, asked.said("word"))).answer
    if isinstance(answer, Rejected) or (isinstance(answer, Refusal) and answer.reason in NO):
        visit.reason = answer.reason
        sentence = answer.sentence if isinstance(answer, Rejected) else _text(visit, NO, answer.reason)
        return _page(visit, deed.seen, *before, problem=sentence)
    if isinstance(answer, Refusal):
        return _refused(visit, answer, asked.here)
    if deed.reveals is not None:
        return _page(
            visit, replace(deed.seen, template=deed.reveals), answer, {"made": answer.answer, "back": asked.here}
        )
    told = deed.told(answer.answer) if deed.told is not None else {}
    return visit.redirect(f"{deed.then or asked.here}?{urlencode({'done': deed.done, **told})}")


async def _load(visit: Visit, sight: Sight, asked: Asked) -> tuple[ByOperator[Any], Mapping[str, Any]] | Response:
    """Who asks, and what the page shows; or the way to the sign-in page. Raises ``Stop`` where there is nothing."""

    async def load(facts: Facts, at: Moment) -> Mapping[str, Any] | None:
        return await sight.load(facts, at, asked)

    answer = (await visit.service.consult(see, visit.visitor.session, load)).answer
    if isinstance(answer, Refusal):
        return _refused(visit, answer, asked.here)
    if answer.answer is None:
        raise Stop(problems.NOT_FOUND, reason="admin_nothing_there")
    beside = await sight.beside(visit.service) if sight.beside else {}
    return answer, {**answer.answer, **beside}


def _refused(visit: Visit, refusal: Refusal, here: str) -> Response:
    """To the sign-in page where that helps. Raises ``Stop`` otherwise."""
    if refusal.error is LOGIN_REQUIRED:
        visit.reason = refusal.reason
        return visit.redirect(sign_in_address(here, again=refusal.reason == "sign_in_too_old"))
    if refusal.reason == "operator_may_only_view":
        raise stop(problems.ONLY_VIEWING, refusal, again=here)
    raise stop(problems.NOT_FOUND, refusal)


def _page(
    visit: Visit,
    sight: Sight,
    by: ByOperator[Any],
    values: Mapping[str, Any],
    *,
    problem: str | None = None,
) -> Response:
    shared = {
        "user": by.operating.user,
        "may_change": by.may_change,
        "csrf": visit.token("session"),
        "link_of": partial(address_of_link, visit.service.issuer),
        "tabs": [(path, _text(visit, TABS, path), path == sight.tab) for path in TABS],
        "done": _done(visit) if problem is None else None,
        "problem": problem,
    }
    return visit.page(sight.template, {**shared, **values}, status=200 if problem is None else 422)


def _asked(visit: Visit, path: str) -> Asked:
    values: Mapping[str, str] = visit.request.path_params
    here = path
    for name in values:
        here = here.replace("{" + name + "}", quote(values[name], safe=""))
    return Asked(here, values, _query(visit))


def _done(visit: Visit) -> str | None:
    """The sentence of what was done, with the numbers that the address tells."""
    query = _query(visit)
    sentence = _text(visit, DONE, query.one("done") or "")
    return None if sentence is None else sentence % {name: number_of(query.one(name)) for name in COUNTED}


def _query(visit: Visit) -> Parameters:
    return read_form(visit.request.scope.get("query_string", b""))


def _text(visit: Visit, words: Mapping[str, str], key: str) -> str | None:
    sentence = words.get(key)
    return None if sentence is None else visit.site.templates.catalogue(visit.language).gettext(sentence)
