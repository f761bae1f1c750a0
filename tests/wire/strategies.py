"""Messages drawn at random, as the two ends of each dialect can say them."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import settings
from hypothesis import strategies as st

from grantway.wire import errors
from grantway.wire.errors import OAuthError
from grantway.wire.http import HttpRequest
from grantway.wire.messages import (
    AccessRevocationRequest,
    AccountsAnswer,
    AccountsRequest,
    AccountSummary,
    AuthorizationAnswer,
    AuthorizationRequest,
    AuthorizationRevocationRequest,
    ClientCredentials,
    ErrorAnswer,
    IntrospectionAnswer,
    IntrospectionRequest,
    ReachedAccount,
    RenewalRequest,
    RevocationRequest,
    TokenAnswer,
    TokenInfoAnswer,
    TokenInfoRequest,
    TokenRequest,
    TokenStatusAnswer,
    TokenStatusRequest,
)

property_of = settings(max_examples=60)

visible = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=40)
nqchar = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters='"\\'), min_size=1, max_size=12
)
unicode = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
seconds = st.integers(0, 2**63 - 1)
scopes = st.lists(nqchar, min_size=1, max_size=4, unique=True).map(tuple)
resources = st.lists(visible, max_size=3).map(tuple)
bearer_tokens = st.from_regex(r"[A-Za-z0-9\-._~+/]{1,40}={0,2}", fullmatch=True)
redirect_uris = st.sampled_from(
    ["https://app.example/cb", "https://app.example/cb?x=1&y=%20", "http://127.0.0.1:8117/", "com.example.app:/back"]
)


def maybe(strategy: st.SearchStrategy) -> st.SearchStrategy:
    return st.none() | strategy


vocabulary = sorted(
    (error for error in vars(errors).values() if isinstance(error, OAuthError)), key=lambda error: error.code
)
known_errors = st.sampled_from(vocabulary)
retry_after = maybe(st.integers(0, 10**9 - 1))
suspensions = st.builds(ErrorAnswer, st.just(errors.ACCESS_DENIED), retry_after, st.just("suspended"))
error_answers = st.builds(ErrorAnswer, known_errors, retry_after) | suspensions

credentials = st.one_of(
    st.builds(ClientCredentials, visible),
    st.builds(ClientCredentials, visible, visible, st.just("client_secret_basic")),
    st.builds(ClientCredentials, visible, visible, st.just("client_secret_post")),
)
accounts = st.builds(AccountSummary, visible, unicode)
idempotency_keys = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=255)

authorization_requests = st.builds(
    AuthorizationRequest,
    client_id=visible,
    response_type=maybe(visible),
    redirect_uri=maybe(visible),
    scope=maybe(scopes),
    state=maybe(unicode),
    code_challenge=maybe(visible),
    code_challenge_method=maybe(visible),
    resource=resources,
    prompt=st.lists(nqchar, max_size=2).map(tuple),
    ui_locales=st.lists(nqchar, max_size=2).map(tuple),
)
authorization_answers = st.one_of(
    st.builds(AuthorizationAnswer, redirect_uris, visible, st.none(), maybe(unicode), maybe(visible)),
    st.builds(AuthorizationAnswer, redirect_uris, st.none(), known_errors, maybe(unicode), maybe(visible)),
)
token_requests = st.builds(
    TokenRequest,
    grant_type=visible,
    credentials=credentials,
    code=maybe(visible),
    redirect_uri=maybe(visible),
    code_verifier=maybe(visible),
    refresh_token=maybe(visible),
    scope=maybe(scopes),
    resource=resources,
    idempotency_key=maybe(idempotency_keys),
)
token_answers = st.builds(
    TokenAnswer,
    access_token=visible,
    token_type=visible,
    expires_in=maybe(seconds),
    refresh_token=maybe(visible),
    scope=maybe(scopes | st.just(())),
    connection_id=maybe(visible),
    account=maybe(accounts),
)
introspection_requests = st.builds(IntrospectionRequest, visible, credentials, maybe(visible))
introspection_answers = st.sampled_from(
    [IntrospectionAnswer(active=False), IntrospectionAnswer(active=False, connection_state="suspended")]
) | st.builds(
    IntrospectionAnswer,
    active=st.just(True),
    scope=scopes | st.just(()),
    client_id=maybe(visible),
    token_type=maybe(visible),
    exp=maybe(seconds),
    iat=maybe(seconds),
    sub=maybe(unicode.filter(bool)),
    aud=resources,
    iss=maybe(visible),
    jti=maybe(visible),
    connection_id=maybe(visible),
    account=maybe(accounts),
    member_id=maybe(visible),
)
accounts_requests = st.builds(AccountsRequest, maybe(bearer_tokens))
reached_accounts = st.builds(ReachedAccount, visible, unicode, scopes | st.just(()), maybe(visible), maybe(visible))
accounts_answers = st.lists(reached_accounts, max_size=3).map(lambda reached: AccountsAnswer(tuple(reached)))
revocation_requests = st.builds(RevocationRequest, visible, credentials, maybe(visible))

sunshine_authorization_requests = st.builds(
    AuthorizationRequest, visible, maybe(visible), maybe(visible), state=maybe(unicode)
)
sunshine_authorization_answers = authorization_answers.map(
    lambda a: AuthorizationAnswer(a.redirect_uri, a.code, a.error, a.state)
)
sunshine_token_requests = st.builds(
    TokenRequest,
    visible,
    st.builds(ClientCredentials, visible, visible, st.just("client_secret_post")),
    visible,
)
sunshine_token_answers = st.builds(TokenAnswer, visible, visible)
token_info_requests = st.builds(TokenInfoRequest, maybe(bearer_tokens))
json_scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | unicode
flat_objects = st.dictionaries(unicode, json_scalars, max_size=5)
token_info_answers = st.builds(
    TokenInfoAnswer,
    id=visible,
    display_name=maybe(unicode.filter(bool)),
    subdomain=maybe(unicode.filter(bool)),
    settings=flat_objects,
    metadata=maybe(flat_objects),
)
names_without_colon = visible.filter(lambda text: ":" not in text)
access_revocation_requests = st.one_of(
    st.just(AccessRevocationRequest()),
    st.builds(AccessRevocationRequest, bearer_tokens),
    st.builds(AccessRevocationRequest, st.none(), names_without_colon, visible),
)

_square_secrets = st.builds(ClientCredentials, visible, visible, st.just("client_secret_post"))
_no_outer_blanks = visible.map(str.strip).filter(bool)  # those are the header's
square_header_secrets = st.builds(ClientCredentials, visible, _no_outer_blanks, st.just("client_secret_basic"))
whole_seconds = st.integers(0, 2**36).map(lambda at: datetime.fromtimestamp(at, UTC))
square_authorization_requests = st.builds(
    AuthorizationRequest,
    visible,
    st.just("code"),
    maybe(visible),
    maybe(scopes),
    maybe(unicode),
    prompt=st.sampled_from([(), ("login",)]),
    ui_locales=maybe(visible).map(lambda locale: () if locale is None else (locale,)),
) | st.builds(
    AuthorizationRequest, visible, st.just("code"), code_challenge=visible, code_challenge_method=st.just("S256")
)
_wanted = {
    "idempotency_key": maybe(idempotency_keys),
    "short_lived": st.booleans(),
    "jwt": st.booleans(),
}
square_token_requests = st.one_of(
    st.builds(
        TokenRequest,
        st.just("authorization_code"),
        _square_secrets,
        code=visible,
        redirect_uri=maybe(visible),
        code_verifier=maybe(visible),
        **_wanted,
    ),
    st.builds(
        TokenRequest,
        st.just("authorization_code"),
        st.builds(ClientCredentials, visible),
        code=visible,
        code_verifier=visible,
        **_wanted,
    ),
    st.builds(
        TokenRequest,
        st.just("refresh_token"),
        _square_secrets | st.builds(ClientCredentials, visible),
        refresh_token=visible,
        scope=maybe(scopes),
        **_wanted,
    ),
    st.builds(TokenRequest, st.just("migration_token"), _square_secrets, migration_token=visible, **_wanted),
    st.builds(TokenRequest, st.just("client_credentials"), _square_secrets, **_wanted),
)
merchants = visible.map(lambda merchant_id: AccountSummary(merchant_id, "", merchant_id))
square_token_answers = st.builds(
    TokenAnswer,
    access_token=visible,
    token_type=st.just("bearer"),
    refresh_token=maybe(visible),
    account=maybe(merchants),
    expires_at=maybe(whole_seconds),
    refresh_token_expires_at=maybe(whole_seconds),
    short_lived=st.booleans(),
)
square_renewal_answers = st.builds(
    TokenAnswer, visible, st.just("bearer"), account=maybe(merchants), expires_at=maybe(whole_seconds)
)
square_renewal_requests = st.builds(RenewalRequest, square_header_secrets, visible)
token_status_requests = st.builds(TokenStatusRequest, maybe(bearer_tokens))
square_token_status_answers = st.builds(
    TokenStatusAnswer, scopes | st.just(()), visible, maybe(whole_seconds), maybe(visible)
)
square_revocation_requests = st.one_of(
    st.builds(AuthorizationRevocationRequest, square_header_secrets, visible, maybe(visible), st.booleans()),
    st.builds(AuthorizationRevocationRequest, square_header_secrets, st.none(), visible),
)

# --- requests that nobody should send -------------------------------------------------------------------------------

_pieces = st.sampled_from(
    [
        *(b"grant_type client_id client_secret code redirect_uri scope state resource token response_type".split()),
        *(b"= & + % %2 %zz %00 %20 %ff %c3%a9 \xff \x00 \n \\ \\u0000 \\ud800 { } [ ] : , null true 1e999 1".split(b" ")),
        b'"code":', b'"x"', b'{"client_id":"a",', b"{}", b"[[[[[[[[[[[[", b"a" * 9000, b"error=", b"active", b" ", b'"',
    ]
)  # fmt: skip
odd_bytes = st.binary(max_size=60) | st.lists(_pieces, max_size=12).map(b"".join)
_credentials = b"Basic|Basic |basic Og==|Basic Zm9v|Basic YTpi|Basic JTp6|BASIC  YTpi|Bearer|Bearer |bearer x|Bearer a b|Bearer \xff"
_others = b"|Basic \xff|Negotiate x|application/json|application/x-www-form-urlencoded|APPLICATION/JSON ; charset=utf-8|7|\xb2|-1"
_header_values = st.binary(max_size=30) | st.sampled_from([*_credentials.split(b"|"), *_others.split(b"|")])
_header_names = st.sampled_from([b"authorization", b"content-type", b"idempotency-key", b"retry-after", b"x-other"])
odd_headers = st.lists(st.tuples(_header_names, _header_values), max_size=4).map(tuple)
odd_requests = st.builds(
    HttpRequest,
    method=st.sampled_from(["GET", "POST", "DELETE", "PUT", ""]),
    path=st.just("/"),
    query=odd_bytes,
    headers=odd_headers,
    body=odd_bytes,
)


@st.composite
def mutated(draw: st.DrawFn, originals: st.SearchStrategy[bytes]) -> bytes:
    """A valid body with a few bytes cut out, put in, or changed."""
    body = bytearray(draw(originals))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(body)))
        body[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3) | _pieces)
    return bytes(body)
