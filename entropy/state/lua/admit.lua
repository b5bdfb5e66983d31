-- Save a new run and count it as live, unless its item and role have one, it is held, or there is no room.
-- KEYS: run, active, live, live of the repository, hold
-- ARGV: run id, record, stage, capacity, capacity of the repository, grace (ms), respect the hold (1/0), schema
local existing = redis.call('GET', KEYS[2])
if existing then return {'exists', existing} end
if ARGV[7] == '1' and redis.call('EXISTS', KEYS[5]) == 1 then return {'held', ''} end
if redis.call('ZCARD', KEYS[3]) >= tonumber(ARGV[4]) then return {'full', ''} end
if redis.call('SCARD', KEYS[4]) >= tonumber(ARGV[5]) then return {'full', ''} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'record', ARGV[2], 'stage', ARGV[3], 'generation', 1, 'schema', ARGV[8])
redis.call('SET', KEYS[2], ARGV[1])
redis.call('ZADD', KEYS[3], now + ARGV[6], ARGV[1])
redis.call('SADD', KEYS[4], ARGV[1])
return {'admitted', ARGV[1]}
