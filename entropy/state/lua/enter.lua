-- Let a request through to the forge, or say for how long it has to wait and why.
-- Writes wait in a room, the most important and then the earliest first; a seat that is not renewed is given up.
-- A write counts from now on, at the latest time at which it can be answered: it may arrive until then.
-- KEYS: paused, budget, flying, room, seats, writes (of a minute), content (of an hour)
-- ARGV: turn, importance, is a write (1/0), makes content (1/0), span (ms), seat (ms), reserve (share),
--       how many may be on their way, minute (ms), writes per minute, hour (ms), content per hour
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local turn, importance, writes, content = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1', ARGV[4] == '1'
local span, seat = tonumber(ARGV[5]), tonumber(ARGV[6])
local function wait(ms, why) return {0, math.max(1, math.ceil(ms)), why} end

for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', now)) do
  redis.call('ZREM', KEYS[4], gone)
  redis.call('ZREM', KEYS[5], gone)
end
if writes then
  redis.call('ZADD', KEYS[4], 'NX', importance * 1e13 + now, turn)
  redis.call('ZADD', KEYS[5], now + seat, turn)
  redis.call('PEXPIRE', KEYS[4], seat)
  redis.call('PEXPIRE', KEYS[5], seat)
end

local pause = redis.call('PTTL', KEYS[1])
if pause > 0 then return wait(pause, 'paused') end

redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
if redis.call('ZCARD', KEYS[3]) >= tonumber(ARGV[8]) then return wait(50, 'flying') end
local budget = redis.call('HMGET', KEYS[2], 'limit', 'remaining', 'reset')
if budget[3] and tonumber(budget[3]) > now then
  local kept = writes and 0 or math.ceil(budget[1] * ARGV[7])
  if budget[2] - redis.call('ZCARD', KEYS[3]) <= kept then return wait(budget[3] - now, 'budget') end
end

-- For how long a window is too full for this one and all who stand before it.
local function full(key, window, limit)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - window)
  local used = redis.call('ZCARD', key)
  local over = used + redis.call('ZRANK', KEYS[4], turn) + 1 - limit
  if over <= 0 then return 0 end
  if used == 0 then return seat end
  local leaving = redis.call('ZRANGE', key, math.min(over, used) - 1, math.min(over, used) - 1, 'WITHSCORES')
  return math.max(1, leaving[2] + window - now)
end
local function count(key, window)
  redis.call('ZADD', key, now + span, turn)
  redis.call('PEXPIRE', key, window + span)
end

if writes then
  local minute, hour = tonumber(ARGV[9]), tonumber(ARGV[11])
  local ms = full(KEYS[6], minute, tonumber(ARGV[10]))
  if content then ms = math.max(ms, full(KEYS[7], hour, tonumber(ARGV[12]))) end
  if ms > 0 then return wait(ms, 'writes') end
  count(KEYS[6], minute)
  if content then count(KEYS[7], hour) end
  redis.call('ZREM', KEYS[4], turn)
  redis.call('ZREM', KEYS[5], turn)
end
redis.call('ZADD', KEYS[3], now + span, turn)
redis.call('PEXPIRE', KEYS[3], span)
return {1, 0, ''}
