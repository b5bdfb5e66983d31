-- Raise the generation of a run that is overdue, so that every older message of it is stale.
-- A message that nobody takes is sent again later each time: a busy cluster must not drown in reminders.
-- KEYS: run, live   ARGV: run id, grace (ms), longest grace (ms), schema
local due = redis.call('ZSCORE', KEYS[2], ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if not due or tonumber(due) > now then return 0 end
local schema = redis.call('HGET', KEYS[1], 'schema')
if not schema then
  redis.call('ZREM', KEYS[2], ARGV[1])
  return 0
end
if tonumber(schema) > tonumber(ARGV[4]) then return 0 end
redis.call('HDEL', KEYS[1], 'owner', 'lease_until')
local waits = redis.call('HINCRBY', KEYS[1], 'waits', 1)
local grace = math.min(ARGV[2] * 2 ^ (waits - 1), tonumber(ARGV[3]))
redis.call('ZADD', KEYS[2], now + grace, ARGV[1])
return redis.call('HINCRBY', KEYS[1], 'generation', 1)
