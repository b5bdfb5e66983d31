-- Remember what was seen of a repository; items that were last seen otherwise are to be looked at.
-- KEYS: sight, looks, told, stirred
-- ARGV: lifetime (ms), repository, forget what was seen before (1/0), number of facts, fact, value, ..., aspect, state, ...
-- An aspect begins with the number of its item.
if ARGV[3] == '1' then redis.call('DEL', KEYS[1]) end
local changes = 5 + 2 * ARGV[4]
for i = 5, changes - 1, 2 do redis.call('HSET', KEYS[1], 'fact:' .. ARGV[i], ARGV[i + 1]) end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local moved = 0
for i = changes, #ARGV, 2 do
  local field = 'seen:' .. ARGV[i]
  if redis.call('HGET', KEYS[1], field) ~= ARGV[i + 1] then
    redis.call('HSET', KEYS[1], field, ARGV[i + 1])
    local item = ARGV[2] .. '#' .. string.match(ARGV[i], '^%d+')
    redis.call('ZADD', KEYS[2], 'NX', now, item)
    redis.call('HINCRBY', KEYS[3], item, 1)
    moved = moved + 1
  end
end
-- Only a close look shows that something moves there; a batch shows what is labelled.
if moved > 0 and ARGV[4] ~= '0' then redis.call('ZADD', KEYS[4], now, ARGV[2]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return moved
