-- Give an item to a run unless another live run holds it; a generation that is over claims nothing.
-- KEYS: claim, live, run   ARGV: run id, generation
if redis.call('HGET', KEYS[3], 'generation') ~= ARGV[2] then return -1 end
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] and redis.call('ZSCORE', KEYS[2], holder) then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
return 1
