-- Give an item back if this run holds it.
-- KEYS: claim   ARGV: run id
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
