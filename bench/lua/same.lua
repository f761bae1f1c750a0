-- The same body every time: path, client id, secret, body.
dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "common.lua")
function init(args)
   local prepared = wrk.format("POST", args[1], headers(args[2], args[3]), args[4])
   request = function()
      begin()
      return prepared
   end
end
