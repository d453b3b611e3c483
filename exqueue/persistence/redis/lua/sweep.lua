-- Compares what idle owners believe with their queues. Called by Session.sweep.
-- KEYS  six a queue: owner, ready, returned, suspects, waiting, running
-- ARGV  1 .. four a queue: epoch, token, seat, call
-- Reply a number a queue: 0 fine, 1 stale, 2 due
local call = redis.call
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function verdict(at, belief)
  local told = call('HMGET', KEYS[at], 'epoch', 'token', 'seat', 'call', 'paused', 'serial', 'head', 'husks')
  for i = 1, 4 do
    if told[i] ~= ARGV[belief + i] then
      return 1
    end
  end
  local is_serial = told[6] == '1'
  if told[5] == '1' or (is_serial and call('EXISTS', KEYS[at + 5]) > 0) then
    return 0
  end
  local head = is_serial and told[7] or ''
  if head ~= '' then
    local due = call('ZSCORE', KEYS[at + 4], head)
    local offered = call('ZSCORE', KEYS[at + 2], head) or call('ZSCORE', KEYS[at + 3], head)
    return (offered or (due and tonumber(due) <= now)) and 2 or 0
  end
  if call('EXISTS', KEYS[at + 2], KEYS[at + 3]) > 0 or call('LLEN', KEYS[at + 1]) > tonumber(told[8] or '0') then
    return 2
  end
  local first = call('ZRANGE', KEYS[at + 4], 0, 0, 'WITHSCORES')
  return first[2] and tonumber(first[2]) <= now and 2 or 0
end

local verdicts = {}
for i = 1, #KEYS / 6 do
  verdicts[i] = verdict(6 * i - 5, 4 * i - 4)
end
return verdicts
