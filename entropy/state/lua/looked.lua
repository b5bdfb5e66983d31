-- The item was looked at; when it was said to have changed meanwhile, it is looked at again at once.
-- KEYS: looks, told   ARGV: item, how often it was told when the look began, failed: look again after (ms), or empty
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if ARGV[3] ~= '' then
  redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
elseif (redis.call('HGET', KEYS[2], ARGV[1]) or '0') == ARGV[2] then
  redis.call('HDEL', KEYS[2], ARGV[1])
  return redis.call('ZREM', KEYS[1], ARGV[1])
else
  redis.call('ZADD', KEYS[1], now, ARGV[1])
end
return 0
