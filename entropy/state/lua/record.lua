-- Record the result of an outside write, unless the run has ended meanwhile and its intents are gone.
-- KEYS: intents   ARGV: name, result
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
