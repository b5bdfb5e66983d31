-- Keep a token for all for a while; nothing is kept when the making took so long that it is another's by now.
-- KEYS: sealed, making   ARGV: asker, sealed token ('' when it could not be made), lifetime (ms)
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
if ARGV[2] ~= '' then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1
