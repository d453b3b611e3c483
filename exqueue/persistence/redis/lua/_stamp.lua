-- What everything that is stored of a job comes to; put before each script whose header says "Begins with _stamp.lua".
-- There KEYS[from] and the ten behind it are: jobs, trail, recoveries, ready, returned, suspects, waiting, dead,
-- running, husks, unreported.
local function entries_of(from, id)
  return #redis.call('LPOS', KEYS[from + 3], id, 'COUNT', 0)
end

local function stamp_of(from, id, entries)
  local parts = {entries}
  for i = 0, 10 do
    if i ~= 3 then
      local is_scored = i >= 4 and i <= 7
      local value = redis.call(is_scored and 'ZSCORE' or 'HGET', KEYS[from + i], id)
      parts[#parts + 1] = value and #value .. ':' .. value or '-'
    end
  end
  return table.concat(parts, ' ')
end

-- Whether it is still what was looked at; a stamp that is empty asks for nothing.
local function is_as_seen(from, id, entries, stamp)
  return stamp == '' or stamp == stamp_of(from, id, entries)
end
