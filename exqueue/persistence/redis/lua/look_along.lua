-- A piece of the ready line, some of whose entries are to be skipped. Called by ready_line.far_back. Begins with
-- _common.lua.
-- KEYS  1 jobs, 2 ready, 3 husks
-- ARGV  1 from where, 2 how many entries, 3 1: name the jobs, 0: count those that are certain
-- Reply how many entries there were; how many jobs were counted; then two an entry in their order: id, and how many
--       entries of this id in the whole line are to be skipped. Those that are certainly skipped are left out.
local jobs, ready, husks = KEYS[1], KEYS[2], KEYS[3]
local line = call('LRANGE', ready, ARGV[1], ARGV[1] + ARGV[2] - 1)
local counts, names, certain, reply = read_all(husks, line), ARGV[3] == '1', 0, {}
for i = 1, #line do
  local count = tonumber(counts[i]) or 0
  if count == 0 and not names then
    certain = certain + 1
  elseif count == 0 or call('HEXISTS', jobs, line[i]) == 1 then
    reply[#reply + 1] = line[i]
    reply[#reply + 1] = count
  end
end
return {#line, certain, reply}
