-- Send an unfinished run somewhere else, whoever is at work on it: every older message and lease is void.
-- KEYS: run, live   ARGV: run id, generation, stage, record, to stage, grace (ms)
local run = redis.call('HMGET', KEYS[1], 'generation', 'stage')
if run[1] ~= ARGV[2] or run[2] ~= ARGV[3] then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HDEL', KEYS[1], 'owner', 'lease_until')
redis.call('HSET', KEYS[1], 'record', ARGV[4], 'stage', ARGV[5], 'waits', 0)
redis.call('ZADD', KEYS[2], now + ARGV[6], ARGV[1])
return redis.call('HINCRBY', KEYS[1], 'generation', 1)
