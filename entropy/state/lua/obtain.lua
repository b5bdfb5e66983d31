-- The token, or the leave to make it for all who wait, or for how long somebody else still may.
-- KEYS: sealed, making   ARGV: asker, time to make it (ms)
local sealed = redis.call('GET', KEYS[1])
if sealed then return {'have', sealed} end
local maker = redis.call('GET', KEYS[2])
if maker and maker ~= ARGV[1] then return {'wait', ''} end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
return {'make', ''}
