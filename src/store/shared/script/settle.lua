-- Settles charges: kept, or given back as if they had never been made.
-- KEYS[3...] one for each charge, repeated where one key has several.
-- ARGV: time (0: the server's), then for each charge: interval, own time at
-- which it was made, 1 if it is given back.
-- Reply: how many were found open.

local now = read_time(tonumber(ARGV[1]))
sweep(now)
local raws = redis.call('MGET', unpack(KEYS, 3))
local book, order, found = {}, {}, 0

-- When a bucket that knew only the groups from `place` on would be full again.
local function full_with_only(groups, place, interval)
  local full = 0
  for at = place, #groups do
    local group = groups[at]
    if group.charges > 0 then
      full = math.max(full, group.last) + interval * group.charges
    end
  end
  return full
end

local function settle(bucket, interval, at, back)
  local groups = bucket.groups
  drop_settled(groups, now)
  local place = 1
  while groups[place] and groups[place].last < at do place = place + 1 end
  local group = groups[place]
  if group and group.open > 0 and group.first <= at then
    found = found + 1
    group.open = group.open - 1
    if back then
      group.charges = group.charges - 1
      local others = full_with_only(groups, place, interval)
      bucket.full = math.min(bucket.full, math.max(bucket.full - interval, others))
    end
  end
  drop_settled(groups, now)
end

for place = 1, #KEYS - 2 do
  local key, at = KEYS[place + 2], 3 * place - 1
  if raws[place] then
    if not book[key] then
      book[key] = unpack_bucket(raws[place])
      table.insert(order, key)
    end
    settle(book[key], tonumber(ARGV[at]), tonumber(ARGV[at + 1]), ARGV[at + 2] == '1')
  end
end
for _, key in ipairs(order) do write_bucket(key, book[key], now) end
save_clock()
return found
