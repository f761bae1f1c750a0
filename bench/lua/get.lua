-- The same page every time: path.
dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "common.lua")
function init(args)
   local prepared = wrk.format("GET", args[1])
   request = function()
      begin()
      return prepared
   end
end
