-- Asks Sluice whether a request is allowed, and answers the client if it is not.

local URL = "http://127.0.0.1:8080/v1/forward-auth?from=original"
-- Milliseconds; above RATE_LIMIT_TIMEOUT (100ms), so that Sluice's fallback decides while Redis is unavailable.
local TIMEOUT = 1000
-- Fields of the client by which Sluice knows the caller, overridden methods and preflights.
local SENT = { "authorization", "x-api-key", "x-http-method-override", "x-method-override", "x-http-method", "origin",
  "access-control-request-method" }
-- Fields of a refusal that reach the client.
local ANSWERED = { "content-type", "retry-after", "www-authenticate", "x-ratelimit-limit", "x-ratelimit-remaining",
  "x-ratelimit-reset", "x-ratelimit-mode", "ratelimit", "ratelimit-policy" }
-- Fields of an allowed answer, and the variables of HAProxy that get them.
local VARIABLES = {
  ["x-user-id"] = "txn.sluice_user",
  ["x-user-tier"] = "txn.sluice_tier",
  ["x-ratelimit-limit"] = "txn.sluice_limit",
  ["x-ratelimit-remaining"] = "txn.sluice_remaining",
  ["x-ratelimit-reset"] = "txn.sluice_reset",
  ["x-ratelimit-mode"] = "txn.sluice_mode"
}

-- Tables of HAProxy begin at 0, those of the HTTP client too.
local function first(values)
  return values and (values[0] or values[1])
end

core.register_action("sluice", { "http-req" }, function(txn)
  local fields = {
    ["x-original-method"] = { txn.sf:method() },
    ["x-original-uri"] = { txn.sf:pathq() },
    ["x-forwarded-for"] = { txn.sf:src() }
  }
  local received = txn.http:req_get_headers()
  for _, name in ipairs(SENT) do
    if received[name] then
      local values = {}
      for i = 0, #received[name] do
        if received[name][i] then
          values[#values + 1] = received[name][i]
        end
      end
      fields[name] = values
    end
  end

  local client = core.httpclient()
  local answer = client:get { url = URL, headers = fields, timeout = TIMEOUT }
  -- HAProxy reports a failed call as 503 or 504 of its own, in HTML. Sluice's errors are JSON.
  local type = answer and answer.headers and first(answer.headers["content-type"]) or ""
  if not answer or not answer.status or answer.status < 100 or answer.status >= 500 and not type:find("json", 1, true) then
    core.Warning("Sluice does not answer: the request is allowed")
    return
  end
  if answer.status == 200 then
    for name, variable in pairs(VARIABLES) do
      local value = first(answer.headers[name])
      if value then
        txn:set_var(variable, value)
      end
    end
    return
  end
  local reply = txn:reply { status = answer.status, body = answer.body }
  for _, name in ipairs(ANSWERED) do
    local value = first(answer.headers[name])
    if value then
      reply:add_header(name, value)
    end
  end
  txn:done(reply)
end)
