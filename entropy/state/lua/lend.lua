-- Lend the snapshot of a source to a run; where there is none yet, the one that was just made, if any.
-- KEYS: run, places, objects, snapshot
-- ARGV: lifetime of a run's artifacts (s), how long an unused snapshot is kept (ms), source, place, digest
local stage = redis.call('HGET', KEYS[1], 'stage')
if not stage or stage == 'done' then return {'over'} end
local known = redis.call('HMGET', KEYS[4], 'place', 'digest')
if not known[1] then
  if ARGV[4] == '' then return {'none'} end
  known = {ARGV[4], ARGV[5]}
  redis.call('HSET', KEYS[4], 'place', known[1], 'digest', known[2])
  redis.call('EXPIRE', KEYS[4], ARGV[1])
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[2], known[2], known[1])
redis.call('EXPIRE', KEYS[2], ARGV[1])
redis.call('ZADD', KEYS[3], 'GT', now + ARGV[2], known[1] .. ' ' .. ARGV[3])
return {'lent', known[1], known[2]}
