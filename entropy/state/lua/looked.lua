-- The item was looked at, and is looked at again at once when it was said to have changed meanwhile; or the look goes on.
-- KEYS: looks, told, lookers
-- ARGV: item, looker, how often it was told when the look began, until it is somebody else's (ms; empty: it is done)
if redis.call('HGET', KEYS[3], ARGV[1]) ~= ARGV[2] then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if ARGV[4] ~= '' then return redis.call('ZADD', KEYS[1], now + ARGV[4], ARGV[1]) end
redis.call('HDEL', KEYS[3], ARGV[1])
if (redis.call('HGET', KEYS[2], ARGV[1]) or '0') == ARGV[3] then
  redis.call('HDEL', KEYS[2], ARGV[1])
  return redis.call('ZREM', KEYS[1], ARGV[1])
end
return redis.call('ZADD', KEYS[1], now, ARGV[1])
