package dev.sluice.service.proxy;

import java.util.HashMap;
import java.util.Map;

/** An upstream that speaks HTTP/2 only. */
public class Http2UpstreamProfile extends HopProfile {

    @Override
    public Map<String, String> getConfigOverrides() {
        var settings = new HashMap<>(super.getConfigOverrides());
        settings.put("rate-limit.upstream.http2", "true");
        settings.put("rate-limit.upstream.max-connections", "20");
        settings.put("rate-limit.endpoints.\"/test.Limited\".free", "1/hour");
        return settings;
    }
}
