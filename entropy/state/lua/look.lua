-- Give the item that has waited longest to one worker, for the time of a lease.
-- KEYS: looks, told   ARGV: lease (ms)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local item = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 1)[1]
if not item then return false end
redis.call('ZADD', KEYS[1], now + ARGV[1], item)
return {item, redis.call('HGET', KEYS[2], item) or '0'}
