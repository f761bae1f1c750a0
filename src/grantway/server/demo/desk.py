"""What the integrator keeps of one customer's browser and one integration. In memory; a real one has a database."""

from __future__ import annotations

from dataclasses import dataclass, field

from grantway.wire.messages import ErrorAnswer, TokenAnswer


@dataclass
class Exchange:
    """One call and its answer, as the demo page shows them."""

    title: str
    call: str
    status: int
    headers: tuple[str, ...] = ()
    body: str = field(default="", repr=False)


@dataclass
class Desk:
    """Tokens and what was said last."""

    waiting: dict[str, str] = field(default_factory=dict, repr=False)
    """Code verifiers by ``state``."""
    access_token: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    account: str | None = None
    connection_id: str | None = None
    scope: str | None = None
    expires: str | None = None
    webhook_id: str | None = None
    refusal: str | None = None
    exchanges: list[Exchange] = field(default_factory=list)

    def keep(self, exchange: Exchange) -> None:
        self.exchanges = [exchange, *self.exchanges[:4]]

    def take(self, answer: TokenAnswer) -> None:
        self.access_token, self.refresh_token = answer.access_token, answer.refresh_token or self.refresh_token
        if answer.expires_at is not None:
            self.expires = f"{answer.expires_at:%d %B %Y, %H:%M} UTC"
        elif answer.expires_in is not None:
            self.expires = f"{answer.expires_in} seconds after it was issued"
        self.scope = " ".join(answer.scope) if answer.scope is not None else self.scope
        self.connection_id = answer.connection_id or self.connection_id
        if answer.account is not None:
            self.account = answer.account.name or answer.account.external_id

    def hear_no(self, refusal: ErrorAnswer) -> None:
        self.refusal = f"{refusal.error.code}: {refusal.error.description}"
