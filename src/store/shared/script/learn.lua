-- Puts down what a node has learned of apps and tokens, within a cap.
-- KEYS[3...] one for each. ARGV: time (0: the server's), room, then for each:
-- milliseconds to keep it, value.
-- Reply: how many found no room.

local now = read_time(tonumber(ARGV[1]))
local room, refused = tonumber(ARGV[2]), 0
sweep(now)
for place = 1, #KEYS - 2 do
  local key, keep = KEYS[place + 2], tonumber(ARGV[2 * place + 1])
  local known = redis.call('GETRANGE', key, 0, 3)
  local minute = math.floor((now + keep * 1000) / MINUTE) + 1
  if known == '' and clock.keys >= room then
    refused = refused + 1
  else
    if known ~= '' then count_minute(struct.unpack('>I4', known), -1) end
    count_minute(minute, 1)
    redis.call('SET', key, struct.pack('>I4', minute) .. ARGV[2 * place + 2], 'PX', whole(keep))
  end
end
save_clock()
return refused
