"""What a person may allow for an account, and what only for themselves in it (Phone.com's ``extension-user``).

Owners and admins connect an account. Who is only a member may still allow what reaches nothing but their own there: the
scopes that policy calls personal, as long as the account knows them by an id of their own.
"""

from __future__ import annotations

from collections.abc import Collection

from grantway.protocol.model import Grant, Membership
from grantway.protocol.policy import Policy
from grantway.protocol.scope import within


def is_personal(policy: Policy, scope: Collection[str]) -> bool:
    """Whether these scopes reach only what is the person's own. With any other scope beside them that one decides."""
    return bool(scope) and within(scope, policy.personal_scopes)


def may_allow(membership: Membership, policy: Policy, scope: Collection[str]) -> bool:
    """Whether this person may allow these scopes."""
    return membership.may_connect or (is_personal(policy, scope) and policy.dialect in membership.external_ids)


def is_their_own(policy: Policy, grant: Grant) -> bool:
    """Whether the grant is the person's own affair: it lives and ends with them, whatever becomes of the rest."""
    return grant.user_id is not None and is_personal(policy, grant.scope)
