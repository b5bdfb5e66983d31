-- Note that a run is about to write to the outside; returns the result if it already did.
-- KEYS: run, intents   ARGV: generation, name, lifetime (s)
if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then return {'stale'} end
local result = redis.call('HGET', KEYS[2], ARGV[2])
if result and result ~= '' then return {'done', result} end
redis.call('HSET', KEYS[2], ARGV[2], '')
redis.call('EXPIRE', KEYS[2], ARGV[3])
return {'intended'}
