-- The dead jobs whose ERROR is not known to be in the log. Called by Session.unreported. Begins with _common.lua.
-- KEYS  1 unreported, 2 jobs, 3 trail, 4 recoveries, 5 dead
-- ARGV  1 at most so many
-- Reply ids, runs, records, trails or nil, recoveries, died at in ms, one after the other: six a job
-- A mark of a job that is not dead is removed: a node of an older version revived or deleted that job.
local MOST_LOOKS = 100
local unreported, most, cursor, now = KEYS[1], tonumber(ARGV[1]), '0', now_ms()
for i = 2, 4 do
  call('HLEN', KEYS[i]) -- raises before the first write if the key is of another type
end
local reply, count, orphans = {}, 0, {}
for _ = 1, MOST_LOOKS do
  local look = call('HSCAN', unreported, cursor, 'COUNT', most)
  cursor = look[1]
  for i = 1, #look[2], 2 do
    local id = look[2][i]
    local died_at = call('ZSCORE', KEYS[5], id)
    local record = died_at and call('HGET', KEYS[2], id)
    if not record then
      orphans[#orphans + 1] = id
    elseif count < most then
      local at = 6 * count
      count = count + 1
      reply[at + 1], reply[at + 2], reply[at + 3] = id, look[2][i + 1], record
      reply[at + 4], reply[at + 5] = call('HGET', KEYS[3], id), recent(call('HGET', KEYS[4], id), now)
      reply[at + 6] = died_at
    end
  end
  if cursor == '0' or count == most then
    break
  end
end
write_all('HDEL', unreported, orphans)
return reply
