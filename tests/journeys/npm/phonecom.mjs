// What a script on an integration's page does, as the vendor's own script for browsers does it (without packages, and with
// this process in the browser's place: it names its origin, asks before it calls, and keeps what it may not read).
import { done, given, visit } from "./journey.mjs";

const TOKEN = `${given.base}/v4/oauth/access-token`;

async function call(origin, method, authorization, body) {
  const headers = { Origin: origin };
  if (authorization) headers.Authorization = authorization;
  if (body) headers["Content-Type"] = "application/json";
  const asked = await fetch(TOKEN, {
    method: "OPTIONS",
    headers: { Origin: origin, "Access-Control-Request-Method": method },
  });
  const listed = (name) => (asked.headers.get(name) ?? "").toLowerCase().split(/, */);
  const wanted = Object.keys(headers).filter((name) => name !== "Origin");
  const may =
    asked.ok &&
    asked.headers.get("access-control-allow-origin") === origin &&
    listed("access-control-allow-methods").includes(method.toLowerCase()) &&
    wanted.every((name) => listed("access-control-allow-headers").includes(name.toLowerCase()));
  if (!may) return { readable: false, status: null };
  const answer = await fetch(TOKEN, { method, headers, body: body && JSON.stringify(body) });
  const readable = answer.headers.get("access-control-allow-origin") === origin;
  return readable ? { readable, status: answer.status, body: await answer.json() } : { readable, status: null };
}

// The vendor's parser: pairs at "&", names and values at "=", each decoded.
function parsed(hash) {
  const pairs = hash.substr(1).split("&").filter((text) => text.length).map((text) => text.split("="));
  return Object.fromEntries(pairs.map(([name, value]) => [decodeURIComponent(name), decodeURIComponent(value)]));
}

async function implicit() {
  const asked = new URLSearchParams({
    client_id: given.implicit,
    response_type: "token",
    scope: "account-owner",
    redirect_uri: given.page,
    state: given.state,
  });
  const back = await visit(`${given.base}/v4/oauth/authorization/?${asked}`);
  if (!back.hash.includes("token_type=Bearer")) throw new Error("the hash has no token_type=Bearer");
  const answer = parsed(back.hash);
  const token = `${answer.token_type} ${answer.access_token}`;
  const details = await call(given.page, "GET", token);
  const user = {
    id: details.body.scope_details[0].voip_id,
    expiration: details.body.expires_at ? details.body.expires_at * 1000 : null,
  };
  const stranger = await call("https://evil.example", "GET", token);
  const left = await call(given.page, "DELETE", token);
  const again = await call(given.page, "DELETE", token);
  return { names: Object.keys(answer), query: back.search, state: answer.state, now: Date.now(), user, stranger, left, again };
}

async function code() {
  const asked = new URLSearchParams({
    client_id: given.public,
    response_type: "code",
    scope: "account-owner",
    redirect_uri: given.page,
    code_challenge: given.challenge,
    code_challenge_method: "S256",
  });
  const back = await visit(`${given.base}/v4/oauth/authorization?${asked}`);
  const exchange = {
    grant_type: "authorization_code",
    client_id: given.public,
    code: back.searchParams.get("code"),
    redirect_uri: given.page,
    code_verifier: given.verifier,
  };
  const tokens = await call(given.page, "POST", null, exchange);
  const refresh = { grant_type: "refresh_token", client_id: given.public, refresh_token: tokens.body.refresh_token };
  const refreshed = await call(given.page, "POST", null, refresh);
  const left = await call(given.page, "DELETE", refreshed.body.access_token);
  const over = { ...refresh, refresh_token: refreshed.body.refresh_token };
  const refused = await call(given.page, "POST", null, over);
  return { state: back.searchParams.get("state"), tokens: tokens.status, refreshed: refreshed.status, left, refused };
}

done({ implicit: await implicit(), code: await code() });
