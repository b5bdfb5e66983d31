-- Keep an artifact of a run that is not over: nobody would throw away that of another.
-- KEYS: run, artifacts   ARGV: digest, content, lifetime (s)
local stage = redis.call('HGET', KEYS[1], 'stage')
if not stage or stage == 'done' then return 0 end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[3])
return 1
