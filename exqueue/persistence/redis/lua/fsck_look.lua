-- What is stored under some ids of a queue, and its owner. Called by RedisView. Begins with _stamp.lua.
-- KEYS  1 jobs, 2 trail, 3 recoveries, 4 ready, 5 returned, 6 suspects, 7 waiting, 8 dead, 9 running, 10 husks,
--       11 unreported, 12 owner
-- ARGV  1 how: 1 with the records, the entries in the ready line (which takes 10 ms in one of 2 million) and the
--       stamp, 0 without
--       2.. ids, at most 500
-- Reply {the owner's fields and values}, then an array an id: has a record 0|1, trail, recoveries, place in returned
--       and in suspects, due, died at, run, husks, mark, and by how: record, entries, stamp
local call = redis.call
local reply = {call('HGETALL', KEYS[12])}
for i = 2, #ARGV do
  local id = ARGV[i]
  local seen = {
    call('HEXISTS', KEYS[1], id), call('HGET', KEYS[2], id), call('HGET', KEYS[3], id), call('ZSCORE', KEYS[5], id),
    call('ZSCORE', KEYS[6], id), call('ZSCORE', KEYS[7], id), call('ZSCORE', KEYS[8], id), call('HGET', KEYS[9], id),
    call('HGET', KEYS[10], id), call('HGET', KEYS[11], id),
  }
  if ARGV[1] == '1' then
    local entries = entries_of(1, id)
    seen[11], seen[12], seen[13] = call('HGET', KEYS[1], id), entries, stamp_of(1, id, entries)
  end
  reply[#reply + 1] = seen
end
return reply
