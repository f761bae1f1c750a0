// oauth4webapi, unmodified: discovery, code with PKCE, refresh, client credentials, introspection, revocation.
import * as oauth from "oauth4webapi";
import { done, given, visit } from "./journey.mjs";

const loopback = { [oauth.allowInsecureRequests]: true }; // the library's own switch for http
const issuer = new URL(given.issuer);

const as = await oauth.processDiscoveryResponse(
  issuer,
  await oauth.discoveryRequest(issuer, { ...loopback, algorithm: given.discovery }),
);
const client = { client_id: given.clientId };
const authentication = {
  basic: oauth.ClientSecretBasic,
  post: oauth.ClientSecretPost,
}[given.method](given.clientSecret);

const verifier = oauth.generateRandomCodeVerifier();
const state = oauth.generateRandomState();
const url = new URL(as.authorization_endpoint);
url.search = new URLSearchParams({
  client_id: client.client_id,
  redirect_uri: given.redirectUri,
  response_type: "code",
  scope: "read",
  state,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
});

// validateAuthResponse also checks iss (RFC 9207), because the metadata says that it is sent.
const parameters = oauth.validateAuthResponse(as, client, await visit(url), state);
const token = await oauth.processAuthorizationCodeResponse(
  as,
  client,
  await oauth.authorizationCodeGrantRequest(as, client, authentication, parameters, given.redirectUri, verifier, loopback),
);
const refreshed = await oauth.processRefreshTokenResponse(
  as,
  client,
  await oauth.refreshTokenGrantRequest(as, client, authentication, token.refresh_token, loopback),
);

async function introspect(one) {
  const response = await oauth.introspectionRequest(as, client, authentication, one, loopback);
  return oauth.processIntrospectionResponse(as, client, response);
}

const before = await introspect(refreshed.access_token);

// A resource server's view: the token in a request, verified with the published keys (RFC 9068).
let claims = null;
if (given.format === "jwt") {
  const request = new Request("https://api.example/orders", {
    headers: { authorization: `Bearer ${refreshed.access_token}` },
  });
  claims = await oauth.validateJwtAccessToken(as, request, given.issuer, loopback);
}

await oauth.processRevocationResponse(
  await oauth.revocationRequest(as, client, authentication, refreshed.refresh_token, loopback),
);
const after = await introspect(refreshed.access_token);
let refusal = null;
try {
  await oauth.processRefreshTokenResponse(
    as,
    client,
    await oauth.refreshTokenGrantRequest(as, client, authentication, refreshed.refresh_token, loopback),
  );
} catch (error) {
  refusal = { error: error.error, status: error.status };
}

const own = await oauth.processClientCredentialsResponse(
  as,
  client,
  await oauth.clientCredentialsGrantRequest(as, client, authentication, { scope: "write" }, loopback),
);

let denied = null;
try {
  oauth.validateAuthResponse(as, client, await visit(url + "&deny"), state);
} catch (error) {
  denied = error.cause?.get?.("error") ?? error.error;
}

done({ token, refreshed, before, claims, after, refusal, own, denied });
