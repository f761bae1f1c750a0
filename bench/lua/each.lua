-- One line of a file after another: path, client id, secret, file, body before the token, body after it, and "once" if
-- a token that was used is not used again: then the load ends when the last of them is answered.
dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "common.lua")
local sent, came, left = 0, 0, math.huge
function init(args)
   local tokens, at, with = lines(args[4]), 0, headers(args[2], args[3])
   -- wrk looks at one request before it sends any.
   if args[7] == "once" then left = #tokens - 1 end
   request = function()
      begin()
      at = at % #tokens + 1
      return wrk.format("POST", args[1], with, args[5] .. tokens[at] .. args[6])
   end
end
-- Asked once before each request.
function delay()
   if left <= 0 then return 3600000 end
   left, sent = left - 1, sent + 1
   return 0
end
function answered()
   came = came + 1
   if left <= 0 and came == sent then wrk.thread:stop() end
end
