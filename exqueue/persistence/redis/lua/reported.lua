-- Removes the marks of deaths whose ERROR is in the log. Called by Session.reported. Begins with _common.lua.
-- KEYS  1 unreported
-- ARGV  1 .. two a death: id, the run that buried it
-- Reply how many marks were removed; one of another run, of a later death, stays
local unreported, ids = KEYS[1], {}
for i = 1, #ARGV, 2 do
  ids[#ids + 1] = ARGV[i]
end
local runs, gone = read_all(unreported, ids), {}
for i = 1, #ids do
  if runs[i] == ARGV[2 * i] then
    gone[#gone + 1] = ids[i]
  end
end
write_all('HDEL', unreported, gone)
return #gone
