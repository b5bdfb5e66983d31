-- What of an item waits for room: exactly this, and nothing that was known of it before.
-- KEYS: waiting, waiting in the repository, lookers
-- ARGV: repository, number, who has read the item (empty: whoever), labels ...
if ARGV[3] ~= '' and redis.call('HGET', KEYS[3], ARGV[1] .. '#' .. ARGV[2]) ~= ARGV[3] then return 0 end
local waited = 0
for _, member in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  if string.sub(member, 1, #ARGV[2] + 1) == ARGV[2] .. ':' then waited = redis.call('ZREM', KEYS[2], member) end
end
-- A smaller number is an older item.
for i = 4, #ARGV do redis.call('ZADD', KEYS[2], ARGV[2], ARGV[2] .. ':' .. ARGV[i]) end
redis.call(redis.call('EXISTS', KEYS[2]) == 1 and 'SADD' or 'SREM', KEYS[1], ARGV[1])
return #ARGV == 3 and waited or 0
