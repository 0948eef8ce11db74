package dev.sluice.service.proxy;

import java.util.HashMap;
import java.util.Map;

/** {@link HopProfile} with a second port for TLS, and the TLS settings of {@link TlsUpstreamResource}. */
public class TlsHopProfile extends HopProfile {

    @Override
    public Map<String, String> getConfigOverrides() {
        var settings = new HashMap<>(super.getConfigOverrides());
        settings.put("quarkus.http.test-ssl-port", "0");
        settings.put("rate-limit.upstream.connect-timeout", "1s");
        settings.put("rate-limit.upstream.tls-configuration-name", "upstream");
        return settings;
    }
}
