-- Which commands that claims need this login lacks. None of them is run.
local key = KEYS[1]
local needed = {
    {'GET', key}, {'SET', key, ''}, {'DEL', key},
    {'HSET', key, 'field', '1'}, {'HINCRBY', key, 'field', '1'}, {'HMGET', key, 'field'}, {'HDEL', key, 'field'},
    {'SCAN', '0'}, {'DBSIZE'}, {'INFO'},
}
local lacking = {}
for _, command in ipairs(needed) do
    if not redis.acl_check_cmd(unpack(command)) then
        lacking[#lacking + 1] = command[1]
    end
end
return lacking
