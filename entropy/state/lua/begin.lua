-- Give the present stage of a run to a worker for the time of a lease.
-- A lease that has run out still bars its generation: two workers of one generation could not be told apart.
-- KEYS: run, live   ARGV: run id, generation, stage, owner, lease (ms), schema
local run = redis.call('HMGET', KEYS[1], 'stage', 'generation', 'lease_until', 'schema', 'owner')
if not run[1] then return {'missing'} end
if tonumber(run[4]) > tonumber(ARGV[6]) then return {'newer', run[4]} end
if run[2] ~= ARGV[2] then return {'stale'} end
if run[1] ~= ARGV[3] then return {'elsewhere', run[1]} end
-- A worker whose answer got lost asks again: the lease is its own.
if run[3] then return {run[5] == ARGV[4] and 'begun' or 'leased'} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HINCRBY', KEYS[1], 'tries:' .. ARGV[3], 1)
redis.call('HSET', KEYS[1], 'owner', ARGV[4], 'lease_until', now + ARGV[5], 'waits', 0)
redis.call('ZADD', KEYS[2], now + ARGV[5], ARGV[1])
return {'begun'}
