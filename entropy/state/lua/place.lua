-- Note where an artifact of a run lies, unless the run is over: nobody would throw it away.
-- KEYS: run, places, objects   ARGV: digest, place, lifetime (s)
local stage = redis.call('HGET', KEYS[1], 'stage')
if not stage or stage == 'done' then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[3])
redis.call('ZADD', KEYS[3], now + ARGV[3] * 1000, ARGV[2] .. ' ')
return 1
