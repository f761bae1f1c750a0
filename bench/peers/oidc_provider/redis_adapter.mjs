// An adapter for Redis, as the one that oidc-provider's documentation gives as its example (discussion 1309 of
// panva/node-oidc-provider): the same keys and the same commands.
const GRANTABLE = new Set([
  'AccessToken', 'AuthorizationCode', 'RefreshToken', 'DeviceCode', 'BackchannelAuthenticationRequest',
]);
const CONSUMABLE = new Set(['AuthorizationCode', 'RefreshToken', 'DeviceCode', 'BackchannelAuthenticationRequest']);

export default function make({ Redis }, url) {
  const redis = new Redis(url, { keyPrefix: 'oidc:' });

  return class RedisAdapter {
    constructor(name) {
      this.name = name;
    }

    key(id) {
      return `${this.name}:${id}`;
    }

    async upsert(id, payload, expiresIn) {
      const key = this.key(id);
      const multi = redis.multi();
      if (CONSUMABLE.has(this.name)) multi.hset(key, { payload: JSON.stringify(payload) });
      else multi.set(key, JSON.stringify(payload));
      if (expiresIn) multi.expire(key, expiresIn);
      if (GRANTABLE.has(this.name) && payload.grantId) {
        const grant = `grant:${payload.grantId}`;
        multi.rpush(grant, key);
        if (expiresIn > await redis.ttl(grant)) multi.expire(grant, expiresIn);
      }
      for (const index of ['userCode', 'uid']) {
        if (payload[index]) {
          multi.set(`${index}:${payload[index]}`, id);
          multi.expire(`${index}:${payload[index]}`, expiresIn);
        }
      }
      await multi.exec();
    }

    async find(id) {
      if (!CONSUMABLE.has(this.name)) {
        const found = await redis.get(this.key(id));
        return found ? JSON.parse(found) : undefined;
      }
      const { payload, ...rest } = await redis.hgetall(this.key(id));
      return payload ? { ...rest, ...JSON.parse(payload) } : undefined;
    }

    async findByUid(uid) {
      return this.find(await redis.get(`uid:${uid}`));
    }

    async findByUserCode(userCode) {
      return this.find(await redis.get(`userCode:${userCode}`));
    }

    async destroy(id) {
      await redis.del(this.key(id));
    }

    async revokeByGrantId(grantId) {
      const multi = redis.multi();
      for (const token of await redis.lrange(`grant:${grantId}`, 0, -1)) multi.del(token);
      multi.del(`grant:${grantId}`);
      await multi.exec();
    }

    async consume(id) {
      await redis.hset(this.key(id), 'consumed', Math.floor(Date.now() / 1000));
    }
  };
}
