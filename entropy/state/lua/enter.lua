-- Let a request through to the forge, or say for how long it has to wait and why.
-- Writes wait in a room, the most important and then the earliest first; a seat that is not renewed is given up.
-- A write counts from now on, at the latest time at which it can be answered: it may arrive until then.
-- KEYS: paused, budget, flying, writes, room, seats
-- ARGV: turn, importance, is a write (1/0), span (ms), reserve (share), seat (ms), how many may be on their way,
--       then window (ms) and limit of each
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local turn, importance, writes, span = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1', tonumber(ARGV[4])
local function wait(ms, why) return {0, math.max(1, math.ceil(ms)), why} end

for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[6], '-inf', now)) do
  redis.call('ZREM', KEYS[5], gone)
  redis.call('ZREM', KEYS[6], gone)
end
if writes then
  redis.call('ZADD', KEYS[5], 'NX', importance * 1e13 + now, turn)
  redis.call('ZADD', KEYS[6], now + ARGV[6], turn)
  redis.call('PEXPIRE', KEYS[5], ARGV[6])
  redis.call('PEXPIRE', KEYS[6], ARGV[6])
end

local pause = redis.call('PTTL', KEYS[1])
if pause > 0 then return wait(pause, 'paused') end

redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
if redis.call('ZCARD', KEYS[3]) >= tonumber(ARGV[7]) then return wait(50, 'flying') end
local budget = redis.call('HMGET', KEYS[2], 'limit', 'remaining', 'reset')
if budget[3] and tonumber(budget[3]) > now then
  local kept = writes and 0 or math.ceil(budget[1] * ARGV[5])
  if budget[2] - redis.call('ZCARD', KEYS[3]) <= kept then return wait(budget[3] - now, 'budget') end
end

if writes then
  local ahead, longest = redis.call('ZRANK', KEYS[5], turn), 0
  for place = 8, #ARGV, 2 do
    local window, limit = tonumber(ARGV[place]), tonumber(ARGV[place + 1])
    local since = '(' .. string.format('%.0f', now - window)
    local used = redis.call('ZCOUNT', KEYS[4], since, '+inf')
    local over = used + ahead + 1 - limit
    if over > 0 and used > 0 then
      local leaving = redis.call(
        'ZRANGEBYSCORE', KEYS[4], since, '+inf', 'WITHSCORES', 'LIMIT', math.min(over, used) - 1, 1)
      longest = math.max(longest, leaving[2] + window - now)
    elseif over > 0 then
      longest = math.max(longest, tonumber(ARGV[6]))
    end
  end
  if longest > 0 then return wait(longest, 'writes') end
  redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', now - ARGV[#ARGV - 1])
  redis.call('ZADD', KEYS[4], now + span, turn)
  redis.call('PEXPIRE', KEYS[4], ARGV[#ARGV - 1] + span)
  redis.call('ZREM', KEYS[5], turn)
  redis.call('ZREM', KEYS[6], turn)
end
redis.call('ZADD', KEYS[3], now + span, turn)
redis.call('PEXPIRE', KEYS[3], span)
return {1, 0, ''}
