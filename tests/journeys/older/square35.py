"""The vendor's client of 2024 (PyPI squareup 35.1.0.20240320), unmodified: every call of its OAuth API, renewing included.

Run with the directory of the older clients first in the path; talks JSON lines as the node scripts do.
"""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from typing import Any

given = json.loads(sys.stdin.readline())
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of what it is built on; what it says itself is looked at below
    square: Any = importlib.import_module("square.client")

api = square.Client(environment="custom", custom_url=given["base"]).o_auth
APP = {"client_id": given["client_id"], "client_secret": given["client_secret"]}
SECRET = f"Client {given['client_secret']}"


def visit(**parameters: str) -> str:
    """A code that the customer gave for this request."""
    print(json.dumps({"visit": {"client_id": given["client_id"], **parameters}}), flush=True)
    code: str = json.loads(sys.stdin.readline())
    return code


def told(result: Any) -> dict[str, Any]:
    """What the SDK says of an answer."""
    return {
        "success": result.is_success(),
        "error": result.is_error(),
        "status": result.status_code,
        "body": result.body,
        "errors": result.errors,
        "deprecation": result.headers.get("deprecation"),
    }


def obtain(grant_type: str, **members: Any) -> dict[str, Any]:
    return told(api.obtain_token(APP | {"grant_type": grant_type} | members))


def renew(token: str, client_id: str = given["client_id"], authorization: str = SECRET) -> dict[str, Any]:
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        result = told(api.renew_token(client_id, {"access_token": token}, authorization))
    return result | {"warned": [type(one.message).__name__ for one in heard if "renew_token" in str(one.message)]}


def status(token: str) -> dict[str, Any]:
    return told(api.retrieve_token_status(f"Bearer {token}"))


found: dict[str, Any] = {}
first = found["first"] = obtain("authorization_code", code=visit())
access_token, refresh_token = first["body"]["access_token"], first["body"]["refresh_token"]
found["status"] = status(access_token)
found["refreshed"] = obtain("refresh_token", refresh_token=refresh_token)
found["narrowed"] = obtain("refresh_token", refresh_token=refresh_token, scopes=["PAYMENTS_READ"], short_lived=True)

found["renewed"] = renew(access_token)
found["renewed_again"] = renew(access_token)
found["status_renewed"] = status(found["renewed"]["body"]["access_token"])
found["status_before"] = status(access_token)
found["narrowed_renewed"] = renew(found["narrowed"]["body"]["access_token"])
found["status_narrowed_renewed"] = status(found["narrowed_renewed"]["body"]["access_token"])
found["renew_unknown"] = renew("EAAl")
found["renew_wrong_secret"] = renew(access_token, authorization="Client sq0csp-SECRET")
found["renew_by_bearer"] = renew(access_token, authorization=f"Bearer {access_token}")
found["renew_wrong_application"] = renew(access_token, client_id="sq0 idp/A&P")
pkce = api.obtain_token(
    {
        "client_id": given["client_id"],
        "grant_type": "authorization_code",
        "code": visit(code_challenge=given["challenge"]),
        "code_verifier": given["verifier"],
    }
)
found["renew_pkce"] = renew(pkce.body["access_token"])

found["wrong_secret"] = obtain("authorization_code", code="c", client_secret="sq0csp-SECRET")
found["wrong_code"] = obtain("authorization_code", code="sq0cgb-CODE")
found["missing_code"] = obtain("authorization_code")

everything = {
    "client_id": given["client_id"],
    "access_token": found["renewed"]["body"]["access_token"],
    "merchant_id": given["merchant"],
    "revoke_only_access_token": False,
}
found["revoke_by_bearer"] = told(api.revoke_token(everything, f"Bearer {access_token}"))
found["revoked"] = told(api.revoke_token(everything, SECRET))
found["status_revoked"] = status(found["refreshed"]["body"]["access_token"])
found["renew_revoked"] = renew(found["refreshed"]["body"]["access_token"])

print(json.dumps({"done": found}), flush=True)
