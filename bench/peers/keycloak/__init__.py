"""Keycloak, from Maven Central: on PostgreSQL as its guide for production has it, and all in memory.

Its access tokens are always signed. In both it is one node, so its caches are local, and TLS ends before it.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench.material import CHALLENGE, EXCHANGE, REDIRECT_URI
from bench.peers import setup
from bench.peers.browser import Browser
from bench.peers.minting import mint
from bench.postgres import Cluster
from bench.processes import Program, answers, free_port
from bench.systems import ES256, REVOCATION, RS256, Amounts, Caller, Missing, Running, System, read_material
from bench.systems import EXCHANGE as CODES

_VERSION = "26.7.3"
_SHA256 = "77657f30b7e90d70f727712ce1c967f430fd6a5e9f458d32d8c6df0635345f47"
_PASSWORD = secrets.token_urlsafe(12)
_BODY = "grant_type=client_credentials"
_AUDIENCE = {
    "name": "audience",
    "protocol": "openid-connect",
    "protocolMapper": "oidc-audience-mapper",
    "config": {"included.client.audience": "bench-ES256", "access.token.claim": "true"},
}
"""A client is told of tokens only that are for it."""
_ALGORITHM = "access.token.signed.response.alg"


def _distribution(kind: str, *options: str) -> Path:
    """Unpacked and built with these options, as ``kc.sh build`` does it."""
    there, is_done = setup.built(f"keycloak-{kind}", f"{_VERSION} {options}")
    home = there / f"keycloak-{_VERSION}"
    if not is_done:
        setup.tool("java")
        artifact = f"org.keycloak:keycloak-quarkus-dist:{_VERSION}:tar.gz"
        copy = ["org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy", f"-Dartifact={artifact}"]
        setup.run([setup.tool("mvn"), "-q", "-B", *copy, f"-DoutputDirectory={there}"], folder=there)
        archive = there / f"keycloak-quarkus-dist-{_VERSION}.tar.gz"
        if hashlib.sha256(archive.read_bytes()).hexdigest() != _SHA256:
            raise Missing("The distribution is not the one that was looked at.")
        setup.run(["tar", "-xzf", archive, "-C", there])
        archive.unlink()
        setup.run([home / "bin" / "kc.sh", "build", *options])
        setup.complete(there)
    return home


@contextmanager
def _on_postgres(folder: Path, amounts: Amounts, cores: str) -> Iterator[Running]:
    with ExitStack() as stack:
        home = _distribution("postgres", "--db=postgres", "--cache=local")
        try:
            cluster = stack.enter_context(Cluster(folder / "postgres", cores))
        except FileNotFoundError as error:
            raise Missing(str(error)) from None
        address = f"jdbc:postgresql://127.0.0.1:{cluster.port}/bench"
        program, url = _start(home, folder, cores, f"--db-url={address}", "--db-username=bench", "--db-password=none")
        server = stack.enter_context(program)
        yield Running(url, (server.pid, cluster.pid), _filled(folder, url, amounts))


@contextmanager
def _in_memory(folder: Path, amounts: Amounts, cores: str) -> Iterator[Running]:
    options = ("--db=dev-mem", "--cache=local", "--features-disabled=persistent-user-sessions")
    program, url = _start(_distribution("memory", *options), folder, cores)
    with program as server:
        yield Running(url, (server.pid,), _filled(folder, url, amounts))


def _start(home: Path, folder: Path, cores: str, *options: str) -> tuple[Program, str]:
    own = folder / "keycloak"
    shutil.copytree(home, own, symlinks=True)
    imported = own / "data" / "import"
    imported.mkdir(parents=True)
    (imported / "bench-realm.json").write_text(json.dumps(_realm(folder)))
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    listen = ["--http-enabled=true", "--http-host=127.0.0.1", f"--http-port={port}", "--hostname-strict=false"]
    program = Program(
        [own / "bin" / "kc.sh", "start", "--optimized", "--import-realm", "--log-level=warn", *listen, *options],
        folder / "keycloak.log",
        ready=lambda: answers(f"{url}/realms/bench"),
        cores=cores,
        patience=240,
    )
    return program, url


def _realm(folder: Path) -> dict[str, Any]:
    """Clients, one user who has many sessions, and rotation, which is off unless told otherwise.

    Hashing of the user's password is turned down, as signing in is not measured.
    """
    clients = [
        {
            "clientId": f"bench-{algorithm}",
            "secret": secrets.token_urlsafe(32),
            "serviceAccountsEnabled": True,
            "redirectUris": [REDIRECT_URI],
            "attributes": {_ALGORITHM: algorithm},
            "protocolMappers": [_AUDIENCE],
        }
        for algorithm in ("ES256", "RS256")
    ]
    (folder / "clients.json").write_text(json.dumps({each["clientId"]: each["secret"] for each in clients}))
    keys = [
        {"name": name, "providerId": f"{name}-generated", "config": {"priority": ["100"], **more}}
        for name, more in (
            ("rsa", {}),
            ("ecdsa", {"ecdsaEllipticCurveKey": ["P-256"]}),
            ("hmac", {"algorithm": ["HS512"]}),
            ("aes", {}),
        )
    ]
    person = {"username": "ada", "enabled": True, "email": "ada@example.com", "firstName": "Ada", "lastName": "Byron"}
    return {
        "realm": "bench",
        "enabled": True,
        "sslRequired": "none",
        "revokeRefreshToken": True,
        "refreshTokenMaxReuse": 0,
        "accessCodeLifespan": 86_400,
        "accessTokenLifespan": 3_600,
        "ssoSessionIdleTimeout": 86_400,
        "passwordPolicy": "hashAlgorithm(pbkdf2-sha256) and hashIterations(1)",
        "components": {"org.keycloak.keys.KeyProvider": keys},
        "clients": clients,
        "users": [{**person, "credentials": [{"type": "password", "value": _PASSWORD}]}],
    }


def _filled(folder: Path, url: str, amounts: Amounts) -> Any:
    known = json.loads((folder / "clients.json").read_text())
    es256, rs256 = (Caller(name, known[name], _BODY) for name in ("bench-ES256", "bench-RS256"))
    at = "/realms/bench/protocol/openid-connect"
    said = {
        "token": f"{at}/token",
        "introspection": f"{at}/token/introspect",
        "revocation": f"{at}/revoke",
        "callers": {ES256: vars(es256), RS256: vars(rs256)},
        "user": vars(es256),
        "exchange": EXCHANGE,
    }
    mint(folder, amounts, lambda browser: _code(browser, f"{url}{at}/auth", es256), f"{url}{at}/token", es256, said)
    return read_material(folder)


def _code(browser: Browser, url: str, client: Caller) -> str:
    """Sign in on Keycloak's own page; its clients ask for no consent as they come."""
    asked = urlencode(
        {
            "client_id": client.id,
            "response_type": "code",
            "scope": "profile",
            "state": secrets.token_urlsafe(8),
            "redirect_uri": REDIRECT_URI,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
    )
    page = browser.ask("GET", f"{url}?{asked}").body.decode()
    found = re.search(r'action="([^"]+)"', page)
    if found is None:
        raise SystemExit("Keycloak shows no page to sign in.")
    form = {"username": "ada", "password": _PASSWORD}
    return browser.ask("POST", html.unescape(found[1]), form).code


_RATES = {CODES: 25, REVOCATION: 25}
SYSTEMS = (
    System(
        "keycloak-postgres", "Keycloak", "PostgreSQL", "PostgreSQL, every commit flushed", _on_postgres,
        version=_VERSION, rates=_RATES, pool=48, warm=5,
    ),
    System(
        "keycloak-memory", "Keycloak", "in memory", "none: a restart forgets all", _in_memory,
        version=_VERSION, fastest=True, rates=_RATES, pool=48, warm=5,
    ),
)  # fmt: skip
