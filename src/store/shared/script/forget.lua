-- Forgets entries that say nothing any more, unless they have changed.
-- KEYS: bans, log. ARGV: for each: field, stamp.

local gone = 0
for at = 1, #ARGV, 2 do
  local known = redis.call('HGET', KEYS[1], ARGV[at])
  if known and string.match(known, '^%-?%d+') == ARGV[at + 1] then
    redis.call('HDEL', KEYS[1], ARGV[at])
    redis.call('ZREM', KEYS[2], ARGV[at])
    gone = gone + 1
  end
end
return gone
