-- Prolong a lease that is still its owner's.
-- KEYS: run, live   ARGV: run id, generation, owner, lease (ms)
local run = redis.call('HMGET', KEYS[1], 'generation', 'owner')
if run[1] ~= ARGV[2] or run[2] ~= ARGV[3] then return 0 end
local time = redis.call('TIME')
local until_ms = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[4]
redis.call('HSET', KEYS[1], 'lease_until', until_ms)
redis.call('ZADD', KEYS[2], until_ms, ARGV[1])
return 1
