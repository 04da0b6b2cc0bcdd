-- Asks for the paths of a file in turn. Arguments: file with one path a line, value of Accept.
-- Prints one line of JSON at the end, times in microseconds.
local requests, count, next_request = {}, 0, 0

function init(args)
  wrk.headers["Accept"] = args[2]
  for path in io.lines(args[1]) do
    count = count + 1
    requests[count] = wrk.format("GET", path)
  end
end

function request()
  next_request = next_request % count + 1
  return requests[next_request]
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"duration":%d,"p50":%d,"p99":%d,"failures":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
