-- Somebody says that something happened; a delivery that was taken in before says nothing new.
-- KEYS: looks, told, repositories, stirred, called, delivery, heard
-- ARGV: repository or empty, look at all of it (1/0), delivery's lifetime (ms, 0: none), of an App (ms, 0: no), items ...
if ARGV[3] ~= '0' and not redis.call('SET', KEYS[6], 1, 'NX', 'PX', ARGV[3]) then return 'known' end
if ARGV[4] ~= '0' then redis.call('SET', KEYS[7], 1, 'PX', ARGV[4]) end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- Whose repositories these are is not for a delivery to say.
if ARGV[1] == '' or not redis.call('ZSCORE', KEYS[3], ARGV[1]) then return 'idle' end
redis.call('ZADD', KEYS[4], now, ARGV[1])
if ARGV[2] == '1' then redis.call('ZADD', KEYS[3], 'XX', 'LT', now, ARGV[1]) end
for i = 5, #ARGV do
  redis.call('ZADD', KEYS[1], 'NX', now, ARGV[i])
  redis.call('HINCRBY', KEYS[2], ARGV[i], 1)
end
-- Whoever looks takes this away before it looks, so a hint that comes later calls again.
return redis.call('SET', KEYS[5], 1, 'NX', 'PX', 10000) and 'call' or 'called'
