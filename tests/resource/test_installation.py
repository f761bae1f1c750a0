"""The middleware runs where only the client is installed; signatures need the extra, and say so."""

from __future__ import annotations

from tests.client.test_installation import run
from tests.resource.conftest import Scene


def test_an_api_introspects_with_nothing_of_the_server_installed(scene: Scene) -> None:
    ran = run(
        "from grantway.resource import Introspection, ProtectWSGI, token_of\n"
        "issuer, client_id, client_secret, token = sys.argv[1:]\n"
        "def api(environ, start_response):\n"
        "    print(token_of(environ).account_name)\n"
        "    return []\n"
        "app = ProtectWSGI(api, Introspection(issuer + '/introspect', client_id, client_secret), audience=issuer)\n"
        "app({'HTTP_AUTHORIZATION': 'Bearer ' + token}, None)\n"
        "app({}, lambda status, headers: print(status))\n"
        "app.close()\n"
        "print([name for name in sys.modules if name.startswith(('grantway.server', 'grantway.protocol', 'joserfc'))])\n",
        scene.issuer, scene.api_id, scene.api_secret, scene.token(),
    )  # fmt: skip
    assert (ran.stdout.split("\n")[:-1], ran.stderr) == (["Acme", "401 Unauthorized", "[]"], "")


def test_without_the_extra_signatures_are_not_looked_at_and_the_sentence_says_why() -> None:
    ran = run(
        "from grantway.resource import SignedTokens\n"
        "try:\n"
        "    SignedTokens('https://login.example', 'https://login.example/jwks.json')\n"
        "except ImportError as error:\n"
        "    print(error)\n"
    )
    assert (ran.stdout.strip(), ran.stderr) == ("To verify signed tokens: pip install 'grantway[resource]'.", "")
