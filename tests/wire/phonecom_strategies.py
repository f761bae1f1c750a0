"""Messages drawn at random, as the two ends of the Phone.com dialect can say them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import strategies as st

from grantway.wire.dialects import phonecom
from grantway.wire.errors import OAuthError
from grantway.wire.messages import (
    AuthorizationAnswer,
    AuthorizationRequest,
    ClientCredentials,
    ErrorAnswer,
    SignOutRequest,
    TokenAnswer,
    TokenRequest,
    TokenStatusAnswer,
    TokenStatusRequest,
)
from tests.wire.strategies import (
    bearer_tokens,
    error_answers,
    idempotency_keys,
    known_errors,
    maybe,
    redirect_uris,
    scopes,
    seconds,
    unicode,
    visible,
)

ids = st.integers(0, 2**63 - 1).map(str)
times = st.integers(1, 4_000_000_000).map(lambda at: datetime.fromtimestamp(at, UTC))

authorization_requests = st.builds(
    AuthorizationRequest,
    client_id=visible,
    response_type=visible,
    redirect_uri=visible,
    scope=scopes,
    state=maybe(unicode),
    code_challenge=maybe(visible),
    code_challenge_method=maybe(visible),
)
tokens_in_fragments = st.builds(TokenAnswer, visible, visible, maybe(seconds), scope=maybe(scopes | st.just(())))
authorization_answers = st.one_of(
    st.builds(AuthorizationAnswer, redirect_uris, code=visible, state=unicode),
    st.builds(AuthorizationAnswer, redirect_uris, error=known_errors, state=unicode),
    st.builds(
        AuthorizationAnswer, redirect_uris, state=unicode, token=tokens_in_fragments, response_type=st.just("token")
    ),
    st.builds(AuthorizationAnswer, redirect_uris, error=known_errors, state=unicode, response_type=st.just("token")),
)
token_requests = st.builds(
    TokenRequest,
    grant_type=visible,
    credentials=st.builds(ClientCredentials, visible)
    | st.builds(ClientCredentials, visible, visible, st.just("client_secret_post")),
    code=maybe(visible),
    redirect_uri=maybe(visible),
    code_verifier=maybe(visible),
    refresh_token=maybe(visible),
    scope=maybe(scopes),
    idempotency_key=maybe(idempotency_keys),
    username=maybe(unicode.filter(bool)),
    password=maybe(unicode.filter(bool)),
)
token_answers = st.builds(
    TokenAnswer,
    access_token=visible,
    token_type=visible,
    expires_in=maybe(seconds),
    refresh_token=maybe(visible),
    scope=maybe(scopes | st.just(())),
)
token_status_requests = st.builds(TokenStatusRequest, maybe(bearer_tokens))
sign_out_requests = st.builds(SignOutRequest, maybe(bearer_tokens))
token_status_answers = st.builds(
    TokenStatusAnswer,
    scope=scopes.map(lambda scope: tuple(dict.fromkeys((*scope, "account-owner")))),
    expires_at=maybe(times),
    account_id=maybe(ids),
    member_id=maybe(ids),
) | st.builds(TokenStatusAnswer, scope=scopes | st.just(()), expires_at=maybe(times), member_id=maybe(ids))


def _as_said(answer: ErrorAnswer) -> ErrorAnswer:
    """The refusal with the status that this dialect says it with: the other end knows no other."""
    return replace(answer, error=replace(answer.error, status=phonecom.status_of(answer.error)))


fields = st.sampled_from(["code", "client_id", "redirect_uri"]).map(
    lambda name: ErrorAnswer(OAuthError("invalid_request", 422, f"The parameter {name} is missing.", name))
)
refusals = error_answers.map(_as_said) | fields
