-- Takes in bans and tombstones, each only if it is newer than what is there.
-- KEYS: bans (hash: field -> "stamp entry"), log (sorted set: field by the
-- version of its last change), version, epoch.
-- ARGV: channel, fresh epoch, then for each: field, stamp, entry.
-- Reply: how many were newer.

if not redis.call('GET', KEYS[4]) then
  redis.call('SET', KEYS[4], ARGV[2])
end
local newer = 0
for at = 3, #ARGV, 3 do
  local field, stamp, entry = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local known = redis.call('HGET', KEYS[1], field)
  if not known or tonumber(string.match(known, '^%-?%d+')) < tonumber(stamp) then
    redis.call('HSET', KEYS[1], field, stamp .. ' ' .. entry)
    local version = redis.call('INCR', KEYS[3])
    redis.call('ZADD', KEYS[2], version, field)
    newer = newer + 1
  end
end
-- Whoever may not publish is found out by looking, half a second later.
if newer > 0 then redis.pcall('PUBLISH', ARGV[1], newer) end
return newer
