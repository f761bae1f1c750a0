"""Ory Hydra, built from the Go module proxy: as it comes on PostgreSQL, and with hashing turned down and nothing flushed.

In memory it is SQLite, and refuses exchanges and refreshes that come at once. Both run with ``--dev``, which lets them do
without TLS. Hydra signs with one algorithm per installation: with RS256 as it comes, and with ES256 where it is told to.
"""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from bench.material import CHALLENGE, CLIENT_CREDENTIALS, EXCHANGE, REDIRECT_URI, SCOPE
from bench.peers import setup
from bench.peers.browser import Browser
from bench.peers.minting import mint
from bench.postgres import Cluster
from bench.processes import Program, answers, free_port
from bench.systems import EXCHANGE as CODES
from bench.systems import OPAQUE, REVOCATION, Amounts, Caller, Missing, Running, System, read_material

_VERSION = "2.3.0"
_SUM = "h1:bPs5MOWmYLZ9C3oQFhhjnaBrExUgF/zf3u1AJVlR//4="
"""Of the module, as the checksum database has it."""
_SCOPE = f"{SCOPE} offline_access"


def _binary() -> Path:
    there, is_done = setup.built("hydra", _VERSION)
    if not is_done:
        go = setup.tool("go")
        got = json.loads(setup.run([go, "mod", "download", "-json", f"github.com/ory/hydra/v2@v{_VERSION}"]))
        if got["Sum"] != _SUM:
            raise Missing(f"The module is not the one that was looked at: {got['Sum']}.")
        source = there / "source"
        shutil.copytree(got["Dir"], source, copy_function=shutil.copyfile)
        for folder in (source, *(path for path in source.rglob("*") if path.is_dir())):
            folder.chmod(0o755)
        # Its client for the command line lies in a folder that is a module of its own, and so not in this one.
        setup.run([go, "mod", "edit", "-dropreplace=github.com/ory/hydra-client-go/v2"], folder=source)
        setup.run([go, "build", "-mod=mod", "-tags=sqlite", "-o", there / "hydra", "."], folder=source)
        shutil.rmtree(source)
        setup.complete(there)
    return there / "hydra"


def _on_postgres(
    folder: Path, amounts: Amounts, cores: str, algorithm: str, oauth2: dict[str, Any], *, flushed: bool
) -> Iterator[Running]:
    with ExitStack() as stack:
        hydra = _binary()
        try:
            cluster = stack.enter_context(Cluster(folder / "postgres", cores, flushed=flushed))
        except FileNotFoundError as error:
            raise Missing(str(error)) from None
        # With the four connections that it takes of itself on one core, signing waits for a connection that signing holds.
        dsn = cluster.url.replace("postgresql:", "postgres:") + "?sslmode=disable&max_conns=80&max_idle_conns=40"
        setup.run([hydra, "migrate", "sql", "--yes", dsn])
        server = _Hydra(folder, dsn, oauth2)
        program = stack.enter_context(server.program(hydra, cores))
        server.fill(amounts, algorithm)
        yield Running(server.public, (program.pid, cluster.pid), read_material(folder), server.admin)


@contextmanager
def _as_it_comes(folder: Path, amounts: Amounts, cores: str) -> Iterator[Running]:
    yield from _on_postgres(folder, amounts, cores, "RS256", {}, flushed=True)


@contextmanager
def _fastest(folder: Path, amounts: Amounts, cores: str) -> Iterator[Running]:
    hashing = {"hashers": {"algorithm": "pbkdf2", "pbkdf2": {"iterations": 1}}}
    yield from _on_postgres(folder, amounts, cores, "ES256", hashing, flushed=False)


class _Hydra:
    def __init__(self, folder: Path, dsn: str, oauth2: dict[str, Any]) -> None:
        self._folder = folder
        ports = free_port(), free_port()
        self.public, self.admin = (f"http://127.0.0.1:{port}" for port in ports)
        settings = {
            "dsn": dsn,
            "serve": {
                "public": {"host": "127.0.0.1", "port": ports[0], "request_log": {"disable_for_health": True}},
                "admin": {"host": "127.0.0.1", "port": ports[1]},
            },
            "urls": {
                "self": {"issuer": self.public},
                "login": "http://127.0.0.1:9/login",
                "consent": "http://127.0.0.1:9/consent",
            },
            "secrets": {"system": [secrets.token_hex(32)]},
            "ttl": {"auth_code": "24h"},
            "oauth2": oauth2,
            "log": {"level": "error"},
            "sqa": {"opt_out": True},
        }
        (folder / "hydra.json").write_text(json.dumps(settings))

    def program(self, hydra: Path, cores: str) -> Program:
        command: list[str | Path] = [
            hydra,
            "serve",
            "all",
            "--dev",
            "--sqa-opt-out",
            "--config",
            self._folder / "hydra.json",
        ]
        ready = f"{self.admin}/health/ready"
        return Program(command, self._folder / "hydra.log", ready=lambda: answers(ready), cores=cores, patience=90)

    def fill(self, amounts: Amounts, algorithm: str) -> None:
        browser = Browser()
        if algorithm != "RS256":
            key = {"alg": algorithm, "kid": "bench", "use": "sig"}
            browser.ask("POST", f"{self.admin}/admin/keys/hydra.jwt.access-token", message=key)
        user, signed = (self._client(browser, strategy) for strategy in ("opaque", "jwt"))
        browser.close()
        said = {
            "token": "/oauth2/token",
            "introspection": "/admin/oauth2/introspect",
            "revocation": "/oauth2/revoke",
            "callers": {OPAQUE: vars(user), f"client_credentials {algorithm}": vars(signed)},
            "user": vars(user),
            "exchange": EXCHANGE,
        }
        mint(
            self._folder,
            amounts,
            lambda customer: self._code(customer, user),
            f"{self.public}/oauth2/token",
            user,
            said,
        )

    def _client(self, browser: Browser, strategy: str) -> Caller:
        made = {
            "client_id": f"bench-{strategy}",
            "client_secret": secrets.token_urlsafe(32),
            "access_token_strategy": strategy,
            "grant_types": ["client_credentials", "authorization_code", "refresh_token"],
            "response_types": ["code"],
            "scope": _SCOPE,
            "redirect_uris": [REDIRECT_URI],
            "token_endpoint_auth_method": "client_secret_basic",
        }
        answer = browser.ask("POST", f"{self.admin}/admin/clients", message=made)
        if answer.status != 201:
            raise SystemExit(f"Hydra took no client: {answer.status}")
        return Caller(str(made["client_id"]), str(made["client_secret"]), CLIENT_CREDENTIALS)

    def _code(self, browser: Browser, client: Caller) -> str:
        """The flow of a customer, with the two answers that the platform's login and consent application gives."""
        asked = urlencode(
            {
                "client_id": client.id,
                "response_type": "code",
                "scope": _SCOPE,
                "state": secrets.token_urlsafe(16),
                "redirect_uri": REDIRECT_URI,
                "code_challenge": CHALLENGE,
                "code_challenge_method": "S256",
            }
        )
        at = browser.ask("GET", f"{self.public}/oauth2/auth?{asked}").location
        at = browser.ask("GET", self._accept(browser, "login", at, {"subject": secrets.token_hex(8)})).location
        yes = {"grant_scope": _SCOPE.split()}
        return browser.ask("GET", self._accept(browser, "consent", at, yes)).code

    def _accept(self, browser: Browser, kind: str, location: str, message: dict[str, Any]) -> str:
        challenge = parse_qs(urlsplit(location).query)[f"{kind}_challenge"][0]
        asked = urlencode({f"{kind}_challenge": challenge})
        url = f"{self.admin}/admin/oauth2/auth/requests/{kind}/accept?{asked}"
        return str(browser.ask("PUT", url, message=message).json["redirect_to"])


_RATES = {CODES: 25, REVOCATION: 25}
SYSTEMS = (
    System(
        "hydra-postgres", "Ory Hydra", "PostgreSQL", "PostgreSQL, every commit flushed", _as_it_comes,
        version=_VERSION, rates=_RATES, pool=48,
    ),
    System(
        "hydra-fastest", "Ory Hydra", "PostgreSQL, hashing turned down", "PostgreSQL, never flushed", _fastest,
        version=_VERSION, fastest=True, rates=_RATES, pool=48,
    ),
)  # fmt: skip
