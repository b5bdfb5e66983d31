-- Take a token out of use with its last user; gives it, or false where others use it or there is none.
-- KEYS: sealed, users   ARGV: run id
redis.call('SREM', KEYS[2], ARGV[1])
if redis.call('SCARD', KEYS[2]) > 0 then return false end
local sealed = redis.call('GET', KEYS[1])
redis.call('DEL', KEYS[1])
return sealed
