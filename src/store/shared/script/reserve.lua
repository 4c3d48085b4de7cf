-- Checks every charge narrow to wide, then makes them all, or none.
-- KEYS[3...] one for each charge.
-- ARGV: time (0: the server's), room for keys with a wider one, room for all,
-- then for each charge: interval, burst, 1 if it enforces, place of its wider
-- charge if that covers it (0: none).
-- Reply: own time, keys, place of the narrowest spent (0: all charged), its
-- wait; then for each charge what became of it and the wait if only observed.

local PASS, OWN, WIDER, UNLIMITED = 0, 1, 2, 3

local now, lag = read_time(tonumber(ARGV[1]))
local narrow_room, all_room = tonumber(ARGV[2]), tonumber(ARGV[3])
local count = #KEYS - 2
sweep(now)

local raws = redis.call('MGET', unpack(KEYS, 3))
local book, order, coming = {}, {}, 0
local spent, after = 0, 0
local reply = {}

local function find(place)
  local key = KEYS[place + 2]
  local bucket = book[key]
  if not bucket then
    if raws[place] then
      bucket = unpack_bucket(raws[place])
      bucket.taken = OWN
    else
      bucket = {full = 0, minute = 0, groups = {}}
    end
    bucket.added = 0
    book[key] = bucket
    table.insert(order, key)
  end
  return bucket
end

local function room(wider)
  local taken = clock.keys + coming
  if taken < narrow_room or (wider == 0 and taken < all_room) then
    coming = coming + 1
    return OWN
  end
  return wider > 0 and WIDER or UNLIMITED
end

for place = 1, count do
  local at = 4 * place
  local interval, burst = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  local enforces, wider = ARGV[at + 2] == '1', tonumber(ARGV[at + 3])
  local bucket = find(place)
  bucket.taken = bucket.taken or room(wider)
  local taken, wait = bucket.taken, 0
  if taken == OWN then
    -- No bucket is emptier than empty: written even if the request is refused,
    -- or it would never heal.
    local empty = now + interval * burst
    if bucket.full > empty then
      bucket.full, bucket.capped = empty, true
    end
    bucket.before = bucket.before or bucket.full
    local fits = bucket.full - interval * (burst - 1)
    if fits > now then
      taken, wait = PASS, fits - now + lag
      if enforces then
        if spent == 0 then spent = place end
        after = math.max(after, wait)
      end
    else
      bucket.full = math.max(bucket.full, now) + interval
      bucket.added = bucket.added + 1
    end
  end
  reply[2 * place - 1], reply[2 * place] = taken, wait
end

local function join_nearest(groups)
  local nearest, least = nil, math.huge
  for place = 1, #groups - 2 do
    local older, newer = groups[place], groups[place + 1]
    local strain = (newer.last - older.first) / (now - older.first + NEAR)
    if strain < least then nearest, least = place, strain end
  end
  local newer = table.remove(groups, nearest + 1)
  local older = groups[nearest]
  older.last = math.max(older.last, newer.last)
  older.charges = older.charges + newer.charges
  older.open = older.open + newer.open
end

local function open(bucket)
  local groups = bucket.groups
  drop_settled(groups, now)
  local back = groups[#groups]
  if back and now - back.first < NEAR then
    back.last = math.max(back.last, now)
    back.charges = back.charges + bucket.added
    back.open = back.open + bucket.added
  else
    table.insert(groups, {first = now, last = now, charges = bucket.added, open = bucket.added})
  end
  if #groups > GROUPS then join_nearest(groups) end
end

for _, key in ipairs(order) do
  local bucket = book[key]
  if spent > 0 then
    if bucket.capped then
      bucket.full = bucket.before
      write_bucket(key, bucket, now)
    end
  elseif bucket.added > 0 then
    open(bucket)
    write_bucket(key, bucket, now)
  end
end
save_clock()

return {now, clock.keys, spent, after, unpack(reply)}
