-- Load for the home page: every request is that of another real viewer. Arguments: a file of lines "token profile", the seed.
local viewers = {}

function setup(thread)
  count = (count or 0) + 1
  thread:set("number", count)
end

function init(arguments)
  math.randomseed(tonumber(arguments[2]) + number)
  for line in io.lines(arguments[1]) do
    local token, profile = line:match("(%S+) (%S+)")
    table.insert(viewers, wrk.format("GET", "/api/v1/home", { Authorization = "Bearer " .. token, ["X-Profile"] = profile }))
  end
end

function request()
  return viewers[math.random(#viewers)]
end

function done(summary, latency)
  local errors = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  print(string.format('{"requests": %d, "duration_us": %d, "refused": %d, "errors": %d, "p50_us": %d, "p99_us": %d, "max_us": %d}',
    summary.requests, summary.duration, summary.errors.status, errors,
    latency:percentile(50), latency:percentile(99), latency.max))
end
