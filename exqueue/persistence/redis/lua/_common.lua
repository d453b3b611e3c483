-- What several verbs need; put before each script whose header says "Begins with _common.lua".
local call = redis.call
local MOST_VALUES = 1000 -- of one command: beyond 8,000 an unpack fails, and that would be in the middle of the writes
local SUSPECT_AFTER = 2
local WINDOW_MS = 259200000 -- 72 h
local RECOVERIES_KEPT = 100
local RUN = '^(%d+)|(%d+)|(%d+)|(%d+)$' -- place, seat, call, started in ms
-- error(DAMAGED .. key .. '|' .. field .. '>'), before the first write: that entry is not what Exqueue wrote.
local DAMAGED = 'DAMAGED<'

-- A number as plain digits: a plain tostring would make 1e+15 of a large one.
local function whole(number)
  return string.format('%.0f', number)
end

local function now_ms()
  local time = call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- One write command over any number of values; pairs stay together.
local function write_all(command, key, values)
  for from = 1, #values, MOST_VALUES do
    call(command, key, unpack(values, from, math.min(from + MOST_VALUES - 1, #values)))
  end
end

-- HMGET of any number of fields.
local function read_all(key, fields)
  if #fields <= MOST_VALUES then
    return #fields == 0 and {} or call('HMGET', key, unpack(fields))
  end
  local found = {}
  for from = 1, #fields, MOST_VALUES do
    local part = call('HMGET', key, unpack(fields, from, math.min(from + MOST_VALUES - 1, #fields)))
    for i = 1, #part do
      found[#found + 1] = part[i]
    end
  end
  return found
end

-- How many of the times "ms,ms,.." (or false) lie within the window.
local function recent(times, now)
  if not times then
    return 0
  end
  local only = tonumber(times)
  if only then
    return only > now - WINDOW_MS and 1 or 0
  end
  local count = 0
  for ms in string.gmatch(times, '%d+') do
    if tonumber(ms) > now - WINDOW_MS then
      count = count + 1
    end
  end
  return count
end

-- The times with one more, without those that are too old; and how many they are.
local function recovered(times, now)
  if not times then
    return whole(now), 1
  end
  local kept = {}
  for ms in string.gmatch(times, '%d+') do
    if tonumber(ms) > now - WINDOW_MS then
      kept[#kept + 1] = ms
    end
  end
  kept[#kept + 1] = whole(now)
  while #kept > RECOVERIES_KEPT do
    table.remove(kept, 1)
  end
  return table.concat(kept, ','), #kept
end
