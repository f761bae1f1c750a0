// oidc-provider as its documentation has it, in memory or on Redis; fills itself by its own models before it listens.
// node server.mjs PORT FOLDER memory|redis://… CODES REFRESH ACCESS REVOCABLE RACES
import * as fs from 'node:fs';
import * as crypto from 'node:crypto';
import { pathToFileURL } from 'node:url';
import { createRequire } from 'node:module';

const [port, folder, store, ...amounts] = process.argv.slice(2);
const [codes, refresh, access, revocable, races] = amounts.map(Number);
const installed = createRequire(`${process.env.PEER}/`);
const entry = installed.resolve('oidc-provider');
const { Provider } = await import(pathToFileURL(entry));

const SCOPE = 'contacts:read contacts:write calls:write offline_access';
const REDIRECT_URI = 'https://integration.example/callback';
const VERIFIER = 'v'.repeat(43);
const CHALLENGE = crypto.createHash('sha256').update(VERIFIER).digest('base64url');
const DAY = 24 * 60 * 60;
const client = {
  client_id: 'bench',
  client_secret: crypto.randomBytes(32).toString('base64url'),
  redirect_uris: [REDIRECT_URI],
  grant_types: ['client_credentials', 'authorization_code', 'refresh_token'],
  response_types: ['code'],
  scope: SCOPE,
};
const key = (type, options, alg) => ({
  ...crypto.generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }), alg, use: 'sig', kid: alg,
});

async function adapter() {
  if (store !== 'memory') {
    const { default: make } = await import('./redis_adapter.mjs');
    return make(installed('ioredis'), store);
  }
  // The adapter that comes with it forgets after a thousand entries; the limit alone is lifted.
  const { default: MemoryAdapter } = await import(new URL('./adapters/memory_adapter.js', pathToFileURL(entry)));
  const { default: LRU } = await import(new URL('./helpers/lru.js', pathToFileURL(entry)));
  const kept = new LRU({ maxSize: 1_000_000 });
  return (model) => new MemoryAdapter(model, kept);
}

const provider = new Provider(`http://127.0.0.1:${port}`, {
  adapter: await adapter(),
  clients: [client],
  scopes: SCOPE.split(' '),
  jwks: { keys: [key('ec', { namedCurve: 'P-256' }, 'ES256'), key('rsa', { modulusLength: 2048 }, 'RS256')] },
  cookies: { keys: [crypto.randomBytes(32).toString('base64url')] },
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  rotateRefreshToken: true,
  ttl: {
    AccessToken: 60 * 60, AuthorizationCode: DAY, ClientCredentials: 60 * 60, Grant: 90 * DAY, RefreshToken: 90 * DAY,
  },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => undefined,
      getResourceServerInfo: (ctx, resource) => ({
        scope: SCOPE,
        audience: resource,
        accessTokenTTL: 60 * 60,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: resource.endsWith('es256') ? 'ES256' : 'RS256' } },
      }),
    },
  },
});
provider.on('server_error', (ctx, error) => console.error(error));

// What the authorization endpoint makes of a consent (lib/actions/authorization), for a customer each.
async function consent() {
  const accountId = crypto.randomUUID();
  const grant = new provider.Grant({ accountId, clientId: client.client_id });
  grant.addOIDCScope(SCOPE);
  const common = {
    accountId, authTime: Math.floor(Date.now() / 1000), client: await provider.Client.find(client.client_id),
    grantId: await grant.save(), scope: SCOPE,
  };
  return common;
}

async function make(name, number, one) {
  const lines = [];
  for (let count = 0; count < number; count += 1) lines.push(`${await one(await consent())}\n`);
  fs.writeFileSync(`${folder}/${name}`, lines.join(''));
}
const code = (common) => new provider.AuthorizationCode({
  ...common, codeChallenge: CHALLENGE, codeChallengeMethod: 'S256', redirectUri: REDIRECT_URI,
}).save();
const refreshToken = (common) => new provider.RefreshToken({ ...common, gty: 'authorization_code' }).save();
const accessToken = (common) => new provider.AccessToken({ ...common, gty: 'authorization_code' }).save();
await make('codes', codes, code);
await make('refresh_tokens', refresh, refreshToken);
await make('access_tokens', access, accessToken);
await make('revocable', revocable, refreshToken);
await make('races', races, refreshToken);

const body = 'grant_type=client_credentials&scope=contacts:read';
const caller = (resource) => ({
  id: client.client_id, secret: client.client_secret, body: resource ? `${body}&resource=${resource}` : body,
});
fs.writeFileSync(`${folder}/material.json`, JSON.stringify({
  token: '/token',
  introspection: '/token/introspection',
  revocation: '/token/revocation',
  callers: {
    'client_credentials opaque': caller(),
    'client_credentials ES256': caller('urn:bench:es256'),
    'client_credentials RS256': caller('urn:bench:rs256'),
  },
  user: caller(),
  exchange: `&redirect_uri=${REDIRECT_URI}&code_verifier=${VERIFIER}`,
}));
provider.listen(Number(port), '127.0.0.1');
