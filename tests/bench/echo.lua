-- What wrk sends: an echo whose whole body has 200 bytes.  At the end one line of JSON, with times in microseconds.

local head, tail = '{"type":"echo","payload":{"message":"', '"}}'

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = head .. string.rep("x", 200 - #head - #tail) .. tail

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"micros":%d,"refused":%d,"broken":%d,"p50":%d,"p95":%d,"p99":%d,"worst":%d}\n',
    summary.requests, summary.duration, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(95), latency:percentile(99), latency.max))
end
