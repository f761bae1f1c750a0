-- One line of a file after another: path, client id, secret, file, body before the token, body after it, and "once" if
-- a token that was used is not used again: then the load ends with the file.
dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "common.lua")
function init(args)
   local tokens, at, with, once = lines(args[4]), 0, headers(args[2], args[3]), args[7] == "once"
   request = function()
      begin()
      at = at % #tokens + 1
      exhausted = exhausted or once and at == #tokens
      return wrk.format("POST", args[1], with, args[5] .. tokens[at] .. args[6])
   end
end
