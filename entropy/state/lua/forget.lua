-- Forget an object whose time is over, unless it was lent meanwhile.
-- KEYS: objects, snapshot   ARGV: place, source
local member = ARGV[1] .. ' ' .. ARGV[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local until_then = redis.call('ZSCORE', KEYS[1], member)
if not until_then or tonumber(until_then) > now then return 0 end
redis.call('ZREM', KEYS[1], member)
if redis.call('HGET', KEYS[2], 'place') == ARGV[1] then redis.call('DEL', KEYS[2]) end
return 1
