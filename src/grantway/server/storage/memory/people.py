"""Facts about people, accounts, sessions and links."""

from __future__ import annotations

from grantway.protocol.facts import FIRST_PAGE, Page
from grantway.protocol.model import (
    Account,
    FailureBucket,
    Membership,
    OneTimeLink,
    Operator,
    Session,
    SignInRequest,
    User,
)
from grantway.server.storage.memory.tables import Reading, one_page


class PeopleFacts(Reading):
    """See ``grantway.protocol.facts.Facts``."""

    async def user(self, user_id: bytes) -> User | None:
        return self._tables.of(User).get(user_id)

    async def user_by_email(self, email: str) -> User | None:
        return self._tables.by(User, "email", email)

    async def user_by_external_id(self, external_id: str) -> User | None:
        return self._tables.by(User, "external_id", external_id)

    async def users(self, page: Page = FIRST_PAGE, *, email: str | None = None) -> tuple[User, ...]:
        return one_page(
            self._all(User, lambda user: email is None or (user.email is not None and user.email.startswith(email))),
            page,
        )

    async def account(self, account_id: bytes) -> Account | None:
        return self._tables.of(Account).get(account_id)

    async def account_by_external_id(self, dialect: str, external_id: str) -> Account | None:
        return self._tables.by(Account, "external_id", dialect, external_id)

    async def accounts(self, page: Page = FIRST_PAGE, *, name: str | None = None) -> tuple[Account, ...]:
        return one_page(self._all(Account, lambda each: name is None or each.name.startswith(name)), page)

    async def membership(self, account_id: bytes, user_id: bytes) -> Membership | None:
        return self._tables.of(Membership).get((account_id, user_id))

    async def memberships(self, user_id: bytes) -> tuple[tuple[Membership, Account], ...]:
        accounts = self._tables.of(Account)
        mine = self._all(Membership, lambda each: each.user_id == user_id and each.account_id in accounts)
        pairs = [(each, accounts[each.account_id]) for each in mine]
        live = [pair for pair in pairs if pair[1].removed_at is None]
        return tuple(sorted(live, key=lambda pair: (pair[1].name, pair[1].id)))

    async def members(self, account_id: bytes) -> tuple[tuple[Membership, User], ...]:
        users = self._tables.of(User)
        found = self._all(Membership, lambda each: each.account_id == account_id and each.user_id in users)
        found.sort(key=lambda each: (each.created_at, each.user_id))
        return tuple((each, users[each.user_id]) for each in found)

    async def operator(self, user_id: bytes) -> Operator | None:
        return self._tables.of(Operator).get(user_id)

    async def operators(self) -> tuple[tuple[Operator, User], ...]:
        users = self._tables.of(User)
        found = self._all(Operator, lambda each: each.user_id in users)
        found.sort(key=lambda each: (each.created_at, each.user_id))
        return tuple((each, users[each.user_id]) for each in found)

    async def session(self, digest: bytes) -> tuple[Session, User] | None:
        session = self._tables.of(Session).get(digest)
        user = None if session is None else self._tables.of(User).get(session.user_id)
        return None if session is None or user is None else (session, user)

    async def sessions_of(self, user_id: bytes) -> tuple[Session, ...]:
        theirs = self._all(Session, lambda each: each.user_id == user_id and each.expires_at > self._now)
        return tuple(sorted(theirs, key=lambda each: (each.auth_time, each.id), reverse=True))

    async def link(self, digest: bytes) -> tuple[OneTimeLink, User] | None:
        link = self._tables.of(OneTimeLink).get(digest)
        user = None if link is None else self._tables.of(User).get(link.user_id)
        return None if link is None or user is None else (link, user)

    async def links_of(self, user_id: bytes) -> tuple[OneTimeLink, ...]:
        theirs = self._all(OneTimeLink, lambda each: each.user_id == user_id)
        return tuple(sorted(theirs, key=lambda each: (each.created_at, each.digest)))

    async def sign_in_request(self, digest: bytes) -> SignInRequest | None:
        return self._tables.of(SignInRequest).get(digest)

    async def failures(self, digest: bytes) -> FailureBucket | None:
        return self._tables.of(FailureBucket).get(digest)
