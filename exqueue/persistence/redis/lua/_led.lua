-- Whether a node leads; put before each script whose header says "Begins with _led.lua".
-- A lease that no node wrote, or a key of another type, is none.
local function is_led(key)
  local lease = redis.pcall('GET', key)
  return type(lease) == 'string' and string.match(lease, '^%d+|[^|]+|%d+|') ~= nil
end
