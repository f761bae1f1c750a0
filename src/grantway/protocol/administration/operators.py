"""The people who run the installation. The first one is made on its host: there is no default password."""

from __future__ import annotations

from dataclasses import field, replace
from typing import Literal

from grantway.protocol.administration.answers import OPERATOR, Rejected, recorded, reject
from grantway.protocol.administration.people import create_user, normal_email
from grantway.protocol.decision import Add, Change, Decision, EndSessions, Forget, Put
from grantway.protocol.facts import Facts
from grantway.protocol.model import Operator, User
from grantway.protocol.moment import Moment
from grantway.protocol.one_time_links import draw_link
from grantway.wire.record import record
from grantway.wire.sentence import worded

OperatorRole = Literal["operator", "viewer"]


@record
class CreatedOperator:
    """An operator, and the secret of the link that sets their password and signs them in: once, within 15 minutes."""

    user: User
    operator: Operator
    link: str = field(repr=False)


@record
class OperatorInView:
    """An operator with the person that they are."""

    operator: Operator
    user: User


async def create_operator(
    facts: Facts, at: Moment, email: str, name: str, role: OperatorRole, *, actor: str = OPERATOR
) -> Decision[CreatedOperator | Rejected]:
    """Somebody runs the installation from now on, known or new; an operator that is there gets the role and a new link.

    Whoever has a session does not get a role with it: they sign in again. Whom the platform signs in cannot be one, or
    whoever may say who signed in could say that it was an operator.
    """
    user = await facts.user_by_email(normal_email(email) or "")
    made: tuple[Change, ...] = ()
    if user is None:
        created = await create_user(facts, at, email, name)
        if isinstance(created.answer, Rejected):
            return Decision(created.answer, reason=created.answer.reason)
        user, made = created.answer, created.changes
    if user.disabled_at is not None:
        return reject(worded("The user %(email)s is disabled.", email=user.email), "user_disabled")
    if user.external_id is not None:
        return reject(
            "The platform signs this person in: an operator takes an address of their own.", "user_of_platform"
        )
    known = await facts.operator(user.id)
    operator = Operator(user.id, role, at.now) if known is None else replace(known, role=role)
    drawn = draw_link(at, user, "operator")
    changes: tuple[Change, ...] = (
        *made,
        Add(operator) if known is None else Put(operator),
        *(Forget(link) for link in await facts.links_of(user.id)),
        Add(drawn.link),
        EndSessions(user.id),
        recorded(at, "operator_created", actor=actor, user_id=user.id, role=role),
    )
    return Decision(CreatedOperator(user, operator, drawn.secret), changes, "operator_created")


async def remove_operator(
    facts: Facts, at: Moment, email: str, *, actor: str = OPERATOR
) -> Decision[OperatorInView | Rejected]:
    """The person does not run the installation any more; they stay a user, signed out everywhere."""
    user = await facts.user_by_email(normal_email(email) or "")
    operator = await facts.operator(user.id) if user is not None else None
    if user is None or operator is None:
        return reject(worded("%(email)s is not an operator.", email=email), "operator_unknown")
    changes: tuple[Change, ...] = (
        Forget(operator),
        *(Forget(link) for link in await facts.links_of(user.id) if link.purpose == "operator"),
        EndSessions(user.id),
        recorded(at, "operator_removed", actor=actor, user_id=user.id),
    )
    return Decision(OperatorInView(operator, user), changes, "operator_removed")
