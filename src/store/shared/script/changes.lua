-- What has changed since a version.
-- KEYS as in share.lua. ARGV: version, how many at most, fresh epoch.
-- Reply: epoch with the server's run id, version now, then for each change its
-- version and entry. A master that has taken over has another run id, and may
-- have lost what its predecessor acknowledged.

local epoch = redis.call('GET', KEYS[4])
if not epoch then
  epoch = ARGV[3]
  redis.call('SET', KEYS[4], epoch)
end
local info = redis.pcall('INFO', 'server')
local run = type(info) == 'string' and string.match(info, 'run_id:(%w+)') or ''
local version = redis.call('GET', KEYS[3]) or '0'
local reply = {epoch .. ' ' .. run, version}
local found = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. ARGV[1], '+inf',
  'WITHSCORES', 'LIMIT', '0', ARGV[2])
for at = 1, #found, 2 do
  local value = redis.call('HGET', KEYS[1], found[at])
  if value then
    reply[#reply + 1] = found[at + 1]
    reply[#reply + 1] = string.gsub(value, '^%-?%d+ ', '')
  end
end
return reply
