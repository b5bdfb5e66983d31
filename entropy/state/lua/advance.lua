-- Save what a stage made of a run and move it on; the last step ends the run.
-- KEYS: run, live, live of the repository, active, finished
-- ARGV: run id, generation, owner, from stage, to stage, record, grace (ms), retention (s), refund (1/0)
local run = redis.call('HMGET', KEYS[1], 'generation', 'owner', 'stage')
if run[1] ~= ARGV[2] or run[2] ~= ARGV[3] or run[3] ~= ARGV[4] then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HDEL', KEYS[1], 'owner', 'lease_until')
redis.call('HSET', KEYS[1], 'record', ARGV[6], 'stage', ARGV[5])
if ARGV[9] == '1' then redis.call('HINCRBY', KEYS[1], 'tries:' .. ARGV[4], -1) end
if ARGV[5] == 'done' then
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('SREM', KEYS[3], ARGV[1])
  if redis.call('GET', KEYS[4]) == ARGV[1] then redis.call('DEL', KEYS[4]) end
  redis.call('EXPIRE', KEYS[1], ARGV[8])
  redis.call('ZADD', KEYS[5], now, ARGV[1])
  redis.call('ZREMRANGEBYSCORE', KEYS[5], '-inf', now - ARGV[8] * 1000)
else
  redis.call('ZADD', KEYS[2], now + ARGV[7], ARGV[1])
end
return 1
