"""Facts about people."""

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
from grantway.server.storage.sql import records as r
from grantway.server.storage.sql.codec import micros
from grantway.server.storage.sql.facts.reading import Reading, beginning, first, older
from grantway.server.storage.sql.statements import people as sql
from grantway.server.storage.sql.statements.rows import BY_KEY


class PeopleFacts(Reading):
    """See ``grantway.protocol.facts.Facts``."""

    __slots__ = ()

    async def user(self, user_id: bytes) -> User | None:
        return await self._one(r.USER, BY_KEY[User], user_id)

    async def user_by_email(self, email: str) -> User | None:
        return await self._one(r.USER, sql.USER_BY_EMAIL, email)

    async def user_by_external_id(self, external_id: str) -> User | None:
        return await self._one(r.USER, sql.USER_BY_EXTERNAL_ID, external_id)

    async def users(self, page: Page = FIRST_PAGE, *, email: str | None = None) -> tuple[User, ...]:
        if email is None:
            return await self._many(r.USER, sql.USERS, *older(page))
        return await self._many(r.USER, sql.USERS_BY_EMAIL, *older(page), *beginning(email))

    async def account(self, account_id: bytes) -> Account | None:
        return await self._one(r.ACCOUNT, BY_KEY[Account], account_id)

    async def account_by_external_id(self, dialect: str, external_id: str) -> Account | None:
        return await self._one(r.ACCOUNT, sql.ACCOUNT_BY_EXTERNAL_ID, dialect, external_id)

    async def accounts(self, page: Page = FIRST_PAGE, *, name: str | None = None) -> tuple[Account, ...]:
        if name is None:
            return await self._many(r.ACCOUNT, sql.ACCOUNTS, *older(page))
        return await self._many(r.ACCOUNT, sql.ACCOUNTS_BY_NAME, *older(page), *beginning(name))

    async def membership(self, account_id: bytes, user_id: bytes) -> Membership | None:
        return await self._one(r.MEMBERSHIP, BY_KEY[Membership], account_id, user_id)

    async def memberships(self, user_id: bytes) -> tuple[tuple[Membership, Account], ...]:
        return await self._pairs(r.MEMBERSHIP, r.ACCOUNT, sql.MEMBERSHIPS, user_id)

    async def members(self, account_id: bytes) -> tuple[tuple[Membership, User], ...]:
        return await self._pairs(r.MEMBERSHIP, r.USER, sql.MEMBERS, account_id)

    async def operator(self, user_id: bytes) -> Operator | None:
        return await self._one(r.OPERATOR, BY_KEY[Operator], user_id)

    async def operators(self) -> tuple[tuple[Operator, User], ...]:
        return await self._pairs(r.OPERATOR, r.USER, sql.OPERATORS)

    async def session(self, digest: bytes) -> tuple[Session, User] | None:
        return first(await self._pairs(r.SESSION, r.USER, sql.SESSION_WITH_USER, digest))

    async def sessions_of(self, user_id: bytes) -> tuple[Session, ...]:
        return await self._many(r.SESSION, sql.SESSIONS_OF, user_id, micros(self._now))

    async def link(self, digest: bytes) -> tuple[OneTimeLink, User] | None:
        return first(await self._pairs(r.ONE_TIME_LINK, r.USER, sql.LINK_WITH_USER, digest))

    async def links_of(self, user_id: bytes) -> tuple[OneTimeLink, ...]:
        return await self._many(r.ONE_TIME_LINK, sql.LINKS_OF, user_id)

    async def sign_in_request(self, digest: bytes) -> SignInRequest | None:
        return await self._one(r.SIGN_IN_REQUEST, BY_KEY[SignInRequest], digest)

    async def failures(self, digest: bytes) -> FailureBucket | None:
        return await self._one(r.FAILURE_BUCKET, BY_KEY[FailureBucket], digest)
