-- Stores jobs of one queue, all or none; an id that is there already is left as it is. Called by Session.push.
-- KEYS  1 jobs, 2 ready, 3 waiting, 4 owner, 5 caller
-- ARGV  1 the caller's n, 2 how long it is kept in ms, 3 wake channel, 4 queue,
--       5 values a job (2: id, record; 3: and when: "" at once, "+ms" from now, "ms" at), 6.. the jobs
-- Reply OK | STALE
local call = redis.call
local kept = call('GET', KEYS[5])
if kept then
  local last, n = tonumber(string.match(kept, '^%d+')), tonumber(ARGV[1])
  if n == last then
    return 'OK'
  end
  if n < last then
    return 'STALE'
  end
end

local jobs, ready, waiting, owner = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local width = tonumber(ARGV[5])
local ids = {}
for at = 6, #ARGV, width do
  ids[#ids + 1] = ARGV[at]
end
local stored = #ids == 0 and {} or call('HMGET', jobs, unpack(ids))
local told = call('HMGET', owner, 'hungry', 'next_due')
local now
if width == 3 then
  call('ZCARD', waiting) -- raises before the first write if the key is of another type
  local time = call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local function due_ms(when)
  if when == '' then
    return 0
  end
  return string.sub(when, 1, 1) == '+' and now + tonumber(string.sub(when, 2)) or tonumber(when)
end

local fresh, later, records, seen, earliest = {}, {}, {}, {}, nil
for i = 1, #ids do
  local id, at = ids[i], 6 + (i - 1) * width
  if not stored[i] and not seen[id] then
    seen[id] = true
    records[#records + 1] = id
    records[#records + 1] = ARGV[at + 1]
    local due = width == 3 and due_ms(ARGV[at + 2]) or 0
    if due > (now or 0) then
      later[#later + 1] = string.format('%.0f', due)
      later[#later + 1] = id
      earliest = math.min(earliest or due, due)
    else
      fresh[#fresh + 1] = id
    end
  end
end

-- A place in line without a record is skipped when it is met; a record without a place would be a lost job.
if #fresh > 0 then
  call('RPUSH', ready, unpack(fresh))
end
for from = 1, #later, 1000 do
  call('ZADD', waiting, unpack(later, from, math.min(from + 999, #later)))
end
for from = 1, #records, 1000 do
  call('HSET', jobs, unpack(records, from, math.min(from + 999, #records)))
end
call('SET', KEYS[5], ARGV[1], 'PX', ARGV[2])

local wake = false
if #fresh > 0 and told[1] == '1' then
  -- Said once: what follows in a burst finds the owner awake already.
  call('HSET', owner, 'hungry', '0')
  wake = true
end
if earliest and earliest < (tonumber(told[2] or '') or math.huge) then
  call('HSET', owner, 'next_due', string.format('%.0f', earliest))
  wake = true
end
if wake then
  redis.pcall('PUBLISH', ARGV[3], ARGV[4]) -- a hint: not being allowed to give it must not look like a failed push
end
return 'OK'
