-- Gives claims of one source back, each only if its position owns it.
--
-- KEYS: one key per record. ARGV: "partition topic", then one offset per key.

local source = ARGV[1]
for index, key in ipairs(KEYS) do
  local claim = redis.call('GET', key)
  if claim and string.match(claim, '^%d+ (.*)$') == ARGV[index + 1] .. ' ' .. source then
    redis.call('DEL', key)
  end
end
