-- A page of the jobs of one state. Called by Session.list_jobs. Begins with _common.lua.
-- KEYS  1 jobs, 2 trail, 3 recoveries, 4 ready, 5 returned, 6 suspects, 7 waiting, 8 dead, 9 running, 10 husks
-- ARGV  1 state, 2 limit, 3 offset
-- Reply five a job: id, record, trail or nil, recoveries, and by its state: due or died at in ms, run, ""
local jobs, trail, recoveries, ready, returned = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local suspects, waiting, dead, running, husks = KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10]
local state, limit, offset = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
-- How far an offset into the ready line passes over entries that are to be skipped; beyond that it counts them.
local MOST_LOOKED_AT = 5000
local now, ids, extras = now_ms(), {}, {}

-- Those of `entries` ({number, id, extra}) that are on the page, in their order; how many were there before it.
local function page_of(entries)
  table.sort(entries, function(one, other)
    return one[1] < other[1] or (one[1] == other[1] and one[2] < other[2])
  end)
  for i = offset + 1, math.min(#entries, offset + limit) do
    ids[#ids + 1] = entries[i][2]
    extras[#extras + 1] = entries[i][3] or ''
  end
end

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

local function from_ready_line(skip, most)
  if skip + most > MOST_LOOKED_AT or call('EXISTS', husks) == 0 then
    for _, id in ipairs(call('LRANGE', ready, skip, skip + most - 1)) do
      ids[#ids + 1] = id
    end
    return
  end
  local met, living = {}, 0
  for from = 0, MOST_LOOKED_AT - 1, 500 do
    local line = call('LRANGE', ready, from, from + 499)
    local counts = read_all(husks, line)
    for i = 1, #line do
      met[line[i]] = (met[line[i]] or 0) + 1
      if met[line[i]] > (tonumber(counts[i]) or 0) then
        living = living + 1
        if living > skip then
          ids[#ids + 1] = line[i]
        end
        if living == skip + most then
          return
        end
      end
    end
    if #line < 500 then
      return
    end
  end
end

local function from_ready()
  local placed = {}
  for _, key in ipairs({returned, suspects}) do
    local line = call('ZRANGE', key, 0, offset + limit - 1, 'WITHSCORES')
    for i = 1, #line, 2 do
      placed[#placed + 1] = {tonumber(line[i + 1]), line[i]}
    end
  end
  page_of(placed)
  if #ids < limit then
    local before = call('ZCARD', returned) + call('ZCARD', suspects)
    from_ready_line(math.max(0, offset - before), limit - #ids)
  end
end

if limit > 0 then
  if state == 'ready' then
    from_ready()
  elseif state == 'running' then
    from_running()
  else
    from_sorted_set(state == 'waiting' and waiting or dead)
  end
end
local records, trails, times = read_all(jobs, ids), read_all(trail, ids), read_all(recoveries, ids)
local reply = {}
for i = 1, #ids do
  if records[i] then
    local at = #reply
    reply[at + 1], reply[at + 2], reply[at + 3] = ids[i], records[i], trails[i]
    reply[at + 4], reply[at + 5] = recent(times[i], now), extras[i] or ''
  end
end
return reply
