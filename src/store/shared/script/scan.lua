-- One step over the keys that match a pattern, on the shard of KEYS[1].
-- ARGV: cursor, pattern. Reply: next cursor, offset of the clock, then names
-- and values.

local found = redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', '1000')
local offset = '0'
local saved = redis.call('GET', KEYS[1])
if saved then
  local _, apart = struct.unpack('>dd', saved)
  offset = string.format('%.0f', apart)
end
local reply = {found[1], offset}
for _, name in ipairs(found[2]) do
  local value = redis.call('GET', name)
  if value then
    reply[#reply + 1] = name
    reply[#reply + 1] = value
  end
end
return reply
