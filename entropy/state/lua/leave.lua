-- Take in what an answer of the forge said. A write counts from its answer on: it arrived no later.
-- What is left of a budget only shrinks until it is filled up again; answers may overtake one another.
-- KEYS: paused, budget, flying, writes, content   ARGV: turn, answered (1/0), pause (ms), limit, remaining, reset (ms)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) + 1
redis.call('ZREM', KEYS[3], ARGV[1])
if ARGV[2] == '1' then
  redis.call('ZADD', KEYS[4], 'XX', now, ARGV[1])
  redis.call('ZADD', KEYS[5], 'XX', now, ARGV[1])
end

local pause = tonumber(ARGV[3])
if pause > 0 and redis.call('PTTL', KEYS[1]) < pause then redis.call('SET', KEYS[1], 1, 'PX', pause) end

if ARGV[5] ~= '' then
  local SAME = 2000 -- reset and date are told in whole seconds
  local reset, remaining = now + ARGV[6], tonumber(ARGV[5])
  local known = redis.call('HMGET', KEYS[2], 'remaining', 'reset')
  local before = known[2] and tonumber(known[2]) or 0
  if reset < before - SAME and before > now then return end
  if before > now and reset <= before + SAME then
    reset, remaining = before, math.min(remaining, tonumber(known[1]))
  end
  redis.call('HSET', KEYS[2], 'limit', ARGV[4], 'remaining', remaining, 'reset', string.format('%.0f', reset))
  redis.call('PEXPIRE', KEYS[2], math.max(1, math.ceil(reset - now)))
end
