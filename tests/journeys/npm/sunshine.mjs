// The vendor's published client (npm, 14.1.0), unmodified: every call of its OAuth API, and how each of them fails.
import Sunshine from "sunshine-conversations-client";
import { done, given } from "./journey.mjs";

function api(authentication = {}, headers = {}) {
  const client = new Sunshine.ApiClient(); // not ApiClient.instance, which leaks from one use to the next
  client.basePath = given.base;
  client.defaultHeaders = headers;
  const { accessToken, username, password } = authentication;
  if (accessToken) client.authentications.bearerAuth.accessToken = accessToken;
  if (username) Object.assign(client.authentications.basicAuth, { username, password });
  return new Sunshine.OAuthEndpointsApi(client);
}

function exchange(code, secret = given.clientSecret) {
  return api().getToken(new Sunshine.InlineObject(code, "authorization_code", given.clientId, secret));
}

async function failure(promise) {
  try {
    return { resolved: await promise };
  } catch (error) {
    return { status: error.status, body: error.body };
  }
}

const asked = { state: "st ate&1", redirectUri: given.redirectUri };
const withoutSession = await api().authorizeWithHttpInfo(given.clientId, "code", asked);
const withSession = await api({}, { Cookie: given.cookie }).authorizeWithHttpInfo(given.clientId, "code", asked);

const byBearer = await exchange(given.codes[0]);
const result = {
  withoutSession: {
    data: withoutSession.data,
    status: withoutSession.response.status,
    page: withoutSession.response.text,
  },
  withSession: { data: withSession.data, status: withSession.response.status, ended: withSession.response.redirects.at(-1) },
  token: byBearer,
  badCode: await failure(exchange("658965")),
  badSecret: await failure(exchange(given.codes[1], "5XJ8")),
  noToken: await failure(api().revokeAccess()),
  badToken: await failure(api({ accessToken: "JWT" }).revokeAccess()),
  badKey: await failure(api({ username: "app_key", password: "sec" }).revokeAccess()),
  revoked: given.key
    ? await api({ username: given.key.key_id, password: given.key.key_secret }).revokeAccess()
    : await api({ accessToken: byBearer.access_token, username: "app_nobody", password: "x" }).revokeAccess(),
  again: await failure(api({ accessToken: byBearer.access_token }).revokeAccess()),
};
done(result);
