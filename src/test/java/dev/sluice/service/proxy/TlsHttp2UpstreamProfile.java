package dev.sluice.service.proxy;

import java.util.HashMap;
import java.util.Map;

/** {@link Http2UpstreamProfile} with the TLS settings of {@link TlsHttp2UpstreamResource}. */
public class TlsHttp2UpstreamProfile extends Http2UpstreamProfile {

    @Override
    public Map<String, String> getConfigOverrides() {
        var settings = new HashMap<>(super.getConfigOverrides());
        settings.put("rate-limit.upstream.tls-configuration-name", "upstream");
        return settings;
    }
}
