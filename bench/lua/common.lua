-- Shared by all scripts: one wrk thread, so globals are the whole state.
local b = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
function base64(data)
   return ((data:gsub(".", function(x)
      local r, c = "", x:byte()
      for i = 8, 1, -1 do r = r .. (c % 2 ^ i - c % 2 ^ (i - 1) > 0 and "1" or "0") end
      return r
   end) .. "0000"):gsub("%d%d%d?%d?%d?%d?", function(x)
      if #x < 6 then return "" end
      local c = 0
      for i = 1, 6 do c = c + (x:sub(i, i) == "1" and 2 ^ (6 - i) or 0) end
      return b:sub(c + 1, c + 1)
   end) .. ({ "", "==", "=" })[#data % 3 + 1])
end

function headers(id, secret)
   return {
      ["Content-Type"] = "application/x-www-form-urlencoded",
      ["Authorization"] = "Basic " .. base64(id .. ":" .. secret),
   }
end

function lines(path)
   local all = {}
   for line in io.lines(path) do all[#all + 1] = line end
   return all
end

local ffi = require("ffi")
ffi.cdef [[ typedef struct { long s; long ns; } moment; int clock_gettime(int clock, moment *at); ]]
local at = ffi.new("moment")
function now()
   ffi.C.clock_gettime(1, at)
   return tonumber(at.s) + tonumber(at.ns) / 1e9
end

local threads = {}
function setup(thread) threads[#threads + 1] = thread end

refused, began, ended = 0, 0, 0
function response(status, headers, body)
   ended = now()
   if status ~= 200 then refused = refused + 1 end
   if answered then answered(status, body) end
end

-- Called by the scripts at each request: time begins with the first.
function begin() if began == 0 then began = now() end end

function done(summary, latency, requests)
   local no, from, to = 0, math.huge, 0
   for _, thread in ipairs(threads) do
      no = no + thread:get("refused")
      from, to = math.min(from, thread:get("began")), math.max(to, thread:get("ended"))
   end
   local bad = summary.errors
   no = no + bad.connect + bad.read + bad.write + bad.timeout
   io.write(string.format(
      'RESULT {"requests": %d, "seconds": %f, "p50": %f, "p99": %f, "refused": %d}\n',
      summary.requests, math.max(0, to - from), latency:percentile(50) / 1000, latency:percentile(99) / 1000, no
   ))
end
