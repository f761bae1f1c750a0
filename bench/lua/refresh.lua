-- Chains of refresh tokens: each answer's token is used once, later: path, client id, secret, file.
dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "common.lua")
local pool, first, last, with, path = {}, 1, 0, nil, nil
function init(args)
   path, with = args[1], headers(args[2], args[3])
   for _, token in ipairs(lines(args[4])) do last = last + 1; pool[last] = token end
end
function request()
   begin()
   local token = pool[first] or "none-left"
   pool[first] = nil
   first = first + 1
   return wrk.format("POST", path, with, "grant_type=refresh_token&refresh_token=" .. token)
end
function answered(status, body)
   local token = body:match('"refresh_token":%s*"([^"]+)"')
   if token then last = last + 1; pool[last] = token end
end
