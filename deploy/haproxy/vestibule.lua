-- Asks vestibule about a request before HAProxy passes it on: http-request lua.vestibule
-- Needs HAProxy 2.6 or newer, and nothing else.

-- Where the gateway is. Where the portal is not at public_url, its origin goes behind it:
-- ?rd=https://app.example.com
local CHECK = "http://127.0.0.1:8080/_vestibule/authz/auth-request"

-- The names of [identity] in the gateway's configuration; and what the client sent as the last two,
-- without what gets somebody in here.
local NAMES = {
    "Remote-User", "Remote-Groups", "Remote-Name", "Remote-Email", "X-Vestibule-Assertion",
    "Cookie", "Authorization",
}

-- How long an answer may take, in milliseconds, each of the four times that HAProxy tries. No
-- answer is a no.
local PATIENCE = 2000

-- What the gateway wants to know of a client: what it shows, and whether it is a person.
local TOLD = {
    "cookie", "authorization", "accept", "referer", "upgrade", "user-agent", "x-requested-with",
    "sec-fetch-mode", "sec-fetch-dest", "sec-fetch-site",
}

local function answer(txn, status, headers)
    local reply = txn:reply({ status = status, reason = "" })
    reply:add_header("cache-control", "no-store")
    reply:add_header("content-length", "0")
    for name, value in pairs(headers or {}) do
        reply:add_header(name, value)
    end
    txn:done(reply)
end

-- Whether a person goes to a page, as opposed to a script or a program asking for something.
local function is_page(method, sent)
    if sent["sec-fetch-mode"] then
        return sent["sec-fetch-mode"][0] == "navigate"
    end
    local asks = method == "GET" or method == "HEAD"
    local accept = sent["accept"] and sent["accept"][0] or ""
    return asks and not sent["x-requested-with"] and not sent["upgrade"]
        and accept:lower():find("text/html", 1, true) ~= nil
end

local function vestibule(txn)
    local sent = txn.http:req_get_headers()
    local method = txn.sf:method()
    local scheme = txn.sf:ssl_fc() == 1 and "https" or "http"
    local headers = {
        -- The whole field: req_hdr would give what is behind the last comma in it.
        ["x-original-url"] = { scheme .. "://" .. txn.sf:req_fhdr("host") .. txn.sf:pathq() },
        ["x-original-method"] = { method },
        ["x-forwarded-for"] = { txn.sf:src() },
    }
    for _, name in ipairs(TOLD) do
        if sent[name] then
            headers[name] = {}
            for at = 0, #sent[name] do
                table.insert(headers[name], sent[name][at])
            end
        end
    end

    local verdict = core.httpclient():get({ url = CHECK, headers = headers, timeout = PATIENCE })
    local told = verdict and verdict.headers or {}
    if verdict and verdict.status == 200 then
        for _, name in ipairs(NAMES) do
            local value = told[name:lower()] and told[name:lower()][0] or ""
            txn.http:req_del_header(name)
            if value ~= "" then
                txn.http:req_set_header(name, value)
            end
        end
        return
    end
    if verdict and verdict.status == 401 then
        local place = told["location"] and told["location"][0]
        if place and is_page(method, sent) then
            local status = (method == "GET" or method == "HEAD") and 302 or 303
            return answer(txn, status, { location = place })
        end
        local how = told["www-authenticate"] and told["www-authenticate"][0]
        return answer(txn, 401, how and { ["www-authenticate"] = how })
    end
    if verdict and (verdict.status == 400 or verdict.status == 403) then
        return answer(txn, verdict.status)
    end
    -- Down, hanging, or saying something unheard of.
    answer(txn, 503)
end

core.register_action("vestibule", { "http-req" }, vestibule, 0)
