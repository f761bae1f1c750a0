"""Who asks: the form of a request to the token endpoint's family, and the client's credentials (RFC 6749 §2.3)."""

from __future__ import annotations

from grantway.wire.encoding import FORM_TYPE, JSON_TYPE, Parameters, read_form, write_form
from grantway.wire.errors import INVALID_CLIENT, INVALID_REQUEST, UNSUPPORTED_MEDIA_TYPE, Malformed
from grantway.wire.headers import media_type, read_basic, write_basic
from grantway.wire.http import HttpRequest
from grantway.wire.messages import ClientCredentials


def read_body(request: HttpRequest) -> Parameters:
    """The parameters of the body, which is a form (RFC 6749 §4.1.3). Of an empty one the type is not asked."""
    if request.body and media_type(request) != FORM_TYPE:
        raise Malformed(UNSUPPORTED_MEDIA_TYPE, "body_not_a_form")
    return read_form(request.body)


def read_credentials(request: HttpRequest, form: Parameters) -> ClientCredentials:
    """The client's credentials, by Basic or in the body.

    RFC 6749 §2.3: not both. A ``client_id`` beside Basic is only a name (§3.2.1) and may stand when it is the same.
    An empty secret is none (§2.3.1), so the client is a public one, either way.
    """
    header = request.header(b"authorization")
    client_id = form.visible("client_id", INVALID_CLIENT)
    client_secret = form.visible("client_secret", INVALID_CLIENT)
    if header is not None:
        if header.partition(" ")[0].lower() != "basic":
            raise Malformed(INVALID_CLIENT, "authentication_scheme_unknown")
        basic = read_basic(header)
        if basic is not None:
            name, password = basic
            if client_secret is not None:
                raise Malformed(INVALID_REQUEST, "two_authentication_methods")
            if client_id is not None and client_id != name:
                raise Malformed(INVALID_REQUEST, "two_client_ids")
            return ClientCredentials(name, password, "client_secret_basic") if password else ClientCredentials(name)
    if client_id is None:
        raise Malformed(INVALID_CLIENT, "client_missing")  # RFC 6749 §5.2: "no client authentication included"
    if client_secret is None:
        return ClientCredentials(client_id)
    return ClientCredentials(client_id, client_secret, "client_secret_post")


def write_request(
    path: str,
    credentials: ClientCredentials,
    parameters: list[tuple[str, str | None]],
    headers: tuple[tuple[bytes, bytes], ...] = (),
) -> HttpRequest:
    """A POST with those parameters that are not ``None``, and the credentials where their method wants them."""
    pairs = [(name, value) for name, value in parameters if value is not None]
    sent = [(b"content-type", FORM_TYPE.encode()), (b"accept", JSON_TYPE.encode()), *headers]
    secret = credentials.client_secret or ""
    if credentials.method == "client_secret_basic":
        sent.append((b"authorization", write_basic(credentials.client_id, secret).encode()))
    else:
        pairs.append(("client_id", credentials.client_id))
        if credentials.method == "client_secret_post":
            pairs.append(("client_secret", secret))
    return HttpRequest("POST", path, headers=tuple(sent), body=write_form(pairs).encode())
