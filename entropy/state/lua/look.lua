-- Give an item to one worker, for the time of a lease: the one that is named, or the one that has waited longest.
-- KEYS: looks, told, lookers   ARGV: lease (ms), looker, item or empty
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local item = ARGV[3]
if item == '' then
  item = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 1)[1]
elseif tonumber(redis.call('ZSCORE', KEYS[1], item) or 0) > now then
  item = nil
end
if not item then return false end
redis.call('ZADD', KEYS[1], now + ARGV[1], item)
redis.call('HSET', KEYS[3], item, ARGV[2])
return {item, redis.call('HGET', KEYS[2], item) or '0'}
