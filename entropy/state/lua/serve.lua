-- Exactly these repositories are served; one that is new is due at once.
-- KEYS: repositories, stirred, the wanted set   ARGV: -
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, name in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if redis.call('SISMEMBER', KEYS[3], name) == 0 then
    redis.call('ZREM', KEYS[1], name)
    redis.call('ZREM', KEYS[2], name)
  end
end
for _, name in ipairs(redis.call('SMEMBERS', KEYS[3])) do redis.call('ZADD', KEYS[1], 'NX', now, name) end
redis.call('DEL', KEYS[3])
return redis.call('ZCARD', KEYS[1])
