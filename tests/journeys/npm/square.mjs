// The vendor's published client (npm, 46.0.0), unmodified: every call of its OAuth API, and how each of them fails.
import square from "square";
import { done, given, visit } from "./journey.mjs";

const { SquareClient, SquareError } = square;

// The line counts requests, and can lose an answer: the server has done what it was asked, and 503 arrives.
let sent = 0;
let losing = false;
const fetchOfNode = globalThis.fetch;
globalThis.fetch = async (...call) => {
  sent += 1;
  const answer = await fetchOfNode(...call);
  if (!losing) return answer;
  losing = false;
  await answer.arrayBuffer();
  return new Response(null, { status: 503 });
};

const app = { clientId: given.clientId, clientSecret: given.clientSecret };
const asClient = { headers: { Authorization: `Client ${given.clientSecret}` } };

function api(token = "junk") {
  return new SquareClient({ baseUrl: given.base, token }).oAuth;
}

async function codeFor(parameters = {}) {
  const query = new URLSearchParams({ client_id: given.clientId, ...parameters });
  return (await visit(`/oauth2/authorize?${query}`)).searchParams.get("code");
}

async function obtained() {
  return api().obtainToken({ ...app, grantType: "authorization_code", code: await codeFor() });
}

async function failure(call) {
  const before = sent;
  try {
    return { resolved: await call() };
  } catch (error) {
    if (!(error instanceof SquareError)) throw error;
    return { status: error.statusCode, errors: error.errors, sent: sent - before };
  }
}

const result = {};

// obtain
const first = await obtained();
result.first = first;
result.refreshed = await api().obtainToken({ ...app, grantType: "refresh_token", refreshToken: first.refreshToken });
result.narrowed = await api().obtainToken({
  ...app, grantType: "refresh_token", refreshToken: first.refreshToken,
  scopes: ["PAYMENTS_READ"], shortLived: true, useJwt: true, codeVerifier: "v",
});
const public_ = { clientId: given.clientId };
result.pkce = await api().obtainToken({
  ...public_, grantType: "authorization_code", codeVerifier: given.verifier,
  code: await codeFor({ code_challenge: given.challenge }),
});
result.pkceRefreshed = await api().obtainToken({ ...public_, grantType: "refresh_token", refreshToken: result.pkce.refreshToken });
result.migrated = await api().obtainToken({ ...app, grantType: "migration_token", migrationToken: given.older });

// an answer that gets lost
async function repeated(refresh) {
  const before = sent;
  losing = true;
  return { tokens: await api().obtainToken({ grantType: "refresh_token", ...refresh }), sent: sent - before };
}
result.repeated = await repeated({ ...app, refreshToken: first.refreshToken });
result.pkceRepeated = await repeated({ ...public_, refreshToken: result.pkceRefreshed.refreshToken });
result.pkceAfterRepeated = await api().obtainToken({
  ...public_, grantType: "refresh_token", refreshToken: result.pkceRepeated.tokens.refreshToken,
});

// status
result.status = await api(first.accessToken).retrieveTokenStatus();
result.statusNarrowed = await api(result.narrowed.accessToken).retrieveTokenStatus();

// what goes wrong
const code = await codeFor();
const exchange = (changes) => api().obtainToken({ ...app, grantType: "authorization_code", code, ...changes });
result.wrongApplication = await failure(() => exchange({ clientId: "sq0idp-APP" }));
result.wrongSecret = await failure(() => exchange({ clientSecret: "sq0csp-SECRET" }));
result.wrongCode = await failure(() => exchange({ code: "sq0cgb-CODE" }));
result.withoutSecret = await failure(() => exchange({ clientSecret: undefined }));
result.wrongToken = await failure(() => api("EAAl").retrieveTokenStatus());
result.revokedByBearer = await failure(() => api(first.accessToken).revokeToken({ ...public_, accessToken: first.accessToken }));

// authorize: fetch follows every redirect itself, and the code is where no caller sees it
const asked = { client_id: given.clientId, scope: given.scope, state: "st ate&1" };
const signIn = await api().authorize({ queryParams: asked }).withRawResponse();
result.withoutSession = { data: signIn.data ?? null, status: signIn.rawResponse.status, ended: signIn.rawResponse.url };
const back = await api().authorize({ queryParams: asked, headers: { Cookie: given.cookie } }).withRawResponse();
result.withSession = { data: back.data ?? null, status: back.rawResponse.status, ended: back.rawResponse.url };
result.authorizedWithNothing = await failure(() => api().authorize());

// revoke
const one = { ...public_, accessToken: result.narrowed.accessToken, revokeOnlyAccessToken: true };
result.revokedAlone = await api().revokeToken(one, asClient);
result.afterRevokedAlone = await failure(() => api(result.narrowed.accessToken).retrieveTokenStatus());
result.othersAfterRevokedAlone = await api(first.accessToken).retrieveTokenStatus();
result.revoked = await api().revokeToken({ ...public_, merchantId: given.merchant }, asClient);
result.afterRevoked = await failure(() => api(first.accessToken).retrieveTokenStatus());
result.refreshAfterRevoked = await failure(() =>
  api().obtainToken({ ...app, grantType: "refresh_token", refreshToken: first.refreshToken }),
);

done(result);
