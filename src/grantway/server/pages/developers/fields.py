"""The form that registers and edits an integration, as it was filled in."""

from __future__ import annotations

from dataclasses import dataclass

from grantway.protocol.model import Client, Scope
from grantway.server.connections.outgoing import check_target
from grantway.server.pages.visit import Visit
from grantway.wire.encoding import Parameters
from grantway.wire.sentence import said_by


@dataclass(frozen=True, slots=True)
class Fields:
    """What stands in the form. Scopes are tick boxes, so each is a field of its own."""

    name: str = ""
    profile: str = "standard"
    public: bool = False
    redirect_uris: tuple[str, ...] = ()
    remove_url: str = ""
    scopes: tuple[str, ...] = ()
    default_scopes: tuple[str, ...] = ()
    required_scopes: tuple[str, ...] = ()
    version: int | None = None
    account: str = ""

    @classmethod
    def read(cls, sent: Parameters, catalogue: tuple[Scope, ...]) -> Fields:
        """As it was sent. A scope that the catalogue does not have cannot have been ticked."""

        def ticked(what: str) -> tuple[str, ...]:
            return tuple(scope.name for scope in catalogue if sent.one(f"{what}:{scope.name}") is not None)

        return cls(
            name=(sent.one("name") or "").strip(),
            profile=sent.one("profile") or "",
            public=sent.one("public") is not None,
            redirect_uris=tuple(
                line.strip() for line in (sent.one("redirect_uris") or "").splitlines() if line.strip()
            ),
            remove_url=(sent.one("remove_url") or "").strip(),
            scopes=ticked("scope"),
            default_scopes=ticked("default"),
            required_scopes=ticked("required"),
            version=sent.number("version"),
            account=sent.one("account") or "",
        )

    @classmethod
    def of(cls, client: Client) -> Fields:
        """As the integration is."""
        return cls(
            client.name,
            client.profile,
            not client.confidential,
            client.redirect_uris,
            client.remove_url or "",
            client.scopes,
            client.default_scopes,
            client.required_scopes,
            client.version,
        )


def check_remove_url(visit: Visit, url: str) -> str | None:
    """The sentence that says why notices could not be sent to this address, or ``None``."""
    try:
        if url:
            check_target(url, visit.service.settings.outgoing_rules)
    except ValueError as problem:
        return said_by(problem)
    return None
