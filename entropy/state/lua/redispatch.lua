-- Raise the generation of a run that is overdue, so that every older message of it is stale.
-- KEYS: run, live   ARGV: run id, grace (ms)
local due = redis.call('ZSCORE', KEYS[2], ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if not due or tonumber(due) > now then return 0 end
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('ZREM', KEYS[2], ARGV[1])
  return 0
end
redis.call('HDEL', KEYS[1], 'owner', 'lease_until')
redis.call('ZADD', KEYS[2], now + ARGV[2], ARGV[1])
return redis.call('HINCRBY', KEYS[1], 'generation', 1)
