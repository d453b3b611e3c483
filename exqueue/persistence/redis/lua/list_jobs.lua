-- A page of the jobs of one state. Called by Session.list_jobs. Begins with _common.lua.
-- KEYS  1 jobs, 2 trail, 3 recoveries, 4 ready, 5 returned, 6 suspects, 7 waiting, 8 dead, 9 running, 10 husks,
--       11 owner
-- ARGV  1 state, 2 limit, 3 offset, or for ready 4.. the ids to list
-- Reply how many jobs of the ready line the rest of the page comes behind, when it is too far back to be found here,
--       else -1; then five a job: id, record, trail or nil, recoveries, and by its state: due or died at in ms, run, ""
local jobs, trail, recoveries, ready, returned = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local suspects, waiting, dead, running, husks, owner = KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11]
local state, limit, offset = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local MOST_LOOKED_AT = 5000 -- entries of the ready line, while some of it are to be skipped
local now, ids, extras = now_ms(), {}, {}

local function from_sorted_set(key)
  local line = call('ZRANGE', key, offset, offset + limit - 1, 'WITHSCORES')
  for i = 1, #line, 2 do
    ids[#ids + 1] = line[i]
    extras[#extras + 1] = line[i + 1]
  end
end

local function from_running()
  local entries, found = call('HGETALL', running), {}
  for i = 1, #entries, 2 do
    local place, _, _, started = string.match(entries[i + 1], RUN)
    if not place then
      error(DAMAGED .. running .. '|' .. entries[i] .. '>')
    end
    found[#found + 1] = {tonumber(started), tonumber(place), entries[i], entries[i + 1]}
  end
  table.sort(found, function(one, other)
    return one[1] < other[1] or (one[1] == other[1] and one[2] < other[2])
  end)
  for i = offset + 1, math.min(#found, offset + limit) do
    ids[#ids + 1] = found[i][3]
    extras[#extras + 1] = found[i][4]
  end
end

-- Whether the page was found, or the end of the line.
local function from_ready_line(skip, most)
  if call('EXISTS', husks) == 0 then
    for _, id in ipairs(call('LRANGE', ready, skip, skip + most - 1)) do
      ids[#ids + 1] = id
    end
    return true
  end
  if skip >= call('LLEN', ready) - (tonumber(call('HGET', owner, 'husks') or '0') or 0) then
    return true
  end
  local met, living, found = {}, 0, {}
  for from = 0, skip + most > MOST_LOOKED_AT and -1 or MOST_LOOKED_AT - 1, 500 do
    local line = call('LRANGE', ready, from, from + 499)
    local counts = read_all(husks, line)
    for i = 1, #line do
      met[line[i]] = (met[line[i]] or 0) + 1
      if met[line[i]] > (tonumber(counts[i]) or 0) then
        living = living + 1
        if living > skip and #found < most then
          found[#found + 1] = line[i]
        end
      end
    end
    if #found == most or #line < 500 then
      for _, id in ipairs(found) do
        ids[#ids + 1] = id
      end
      return true
    end
  end
  return false
end

local function is_before(one, other)
  return one[1] < other[1] or (one[1] == other[1] and one[2] < other[2])
end

-- {place, id} of those from `index` on.
local function placed(key, index, most)
  local line, found = call('ZRANGE', key, index, index + most - 1, 'WITHSCORES'), {}
  for i = 1, #line, 2 do
    found[#found + 1] = {tonumber(line[i + 1]), line[i]}
  end
  return found
end

-- How many of the first `offset` in both lines together are in `returned`: halved, since each may be long.
local function returned_before(returned_count, suspect_count)
  local low, high = math.max(0, offset - suspect_count), math.min(offset, returned_count)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if is_before(placed(returned, middle, 1)[1], placed(suspects, offset - middle - 1, 1)[1]) then
      low = middle + 1
    else
      high = middle
    end
  end
  return low
end

-- The rest of the page is `reply` jobs back in the ready line; -1: there is none.
local function from_ready()
  local returned_count, suspect_count = call('ZCARD', returned), call('ZCARD', suspects)
  local before = returned_count + suspect_count
  if offset < before then
    local skipped = returned_before(returned_count, suspect_count)
    local line = placed(returned, skipped, limit)
    for _, entry in ipairs(placed(suspects, offset - skipped, limit)) do
      line[#line + 1] = entry
    end
    table.sort(line, is_before)
    for i = 1, math.min(#line, limit) do
      ids[i] = line[i][2]
    end
  end
  local skip = math.max(0, offset - before)
  return (#ids == limit or from_ready_line(skip, limit - #ids)) and -1 or skip
end

local behind = -1
for i = 4, #ARGV do
  ids[#ids + 1] = ARGV[i]
end
if limit > 0 and #ids == 0 then
  if state == 'ready' then
    behind = from_ready()
  elseif state == 'running' then
    from_running()
  else
    from_sorted_set(state == 'waiting' and waiting or dead)
  end
end
local records, trails, times = read_all(jobs, ids), read_all(trail, ids), read_all(recoveries, ids)
local reply = {behind}
for i = 1, #ids do
  if records[i] then
    local at = #reply
    reply[at + 1], reply[at + 2], reply[at + 3] = ids[i], records[i], trails[i]
    reply[at + 4], reply[at + 5] = recent(times[i], now), extras[i] or ''
  end
end
return reply
