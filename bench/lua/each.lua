-- One line of a file after another: path, client id, secret, file, body before the token, body after it.
dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "common.lua")
function init(args)
   local tokens, at, with = lines(args[4]), 0, headers(args[2], args[3])
   request = function()
      at = at % #tokens + 1
      return wrk.format("POST", args[1], with, args[5] .. tokens[at] .. args[6])
   end
end
