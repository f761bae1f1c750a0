// openid-client, unmodified: discovery, code with PKCE, refresh, client credentials, introspection, revocation.
import * as client from "openid-client";
import { done, given, visit } from "./journey.mjs";

const authentication = {
  basic: client.ClientSecretBasic,
  post: client.ClientSecretPost,
  none: client.None,
}[given.method](given.clientSecret);

const config = await client.discovery(new URL(given.issuer), given.clientId, given.clientSecret ?? undefined, authentication, {
  algorithm: given.discovery,
  execute: [client.allowInsecureRequests], // the library's own switch for http
});

const verifier = client.randomPKCECodeVerifier();
const state = client.randomState();
const url = client.buildAuthorizationUrl(config, {
  redirect_uri: given.redirectUri,
  scope: "read write",
  state,
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
});

const checks = { pkceCodeVerifier: verifier, expectedState: state };
const token = await client.authorizationCodeGrant(config, await visit(url), checks);
const refreshed = await client.refreshTokenGrant(config, token.refresh_token, { scope: "read" });

const isPublic = given.method === "none";
const before = isPublic ? null : await client.tokenIntrospection(config, refreshed.access_token);
await client.tokenRevocation(config, refreshed.refresh_token);
const after = isPublic ? null : await client.tokenIntrospection(config, refreshed.access_token);

let refusal = null;
try {
  await client.refreshTokenGrant(config, refreshed.refresh_token);
} catch (error) {
  refusal = { error: error.error, status: error.status };
}
const own = isPublic ? null : await client.clientCredentialsGrant(config, { scope: "write" });
done({ token, refreshed, before, after, refusal, own });
