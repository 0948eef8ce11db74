package dev.sluice.service.proxy;

import java.util.HashMap;
import java.util.Map;

/** {@link HopProfile} with a second port for TLS, the TLS settings of {@link TlsUpstreamResource}, and few client connections. */
public class TlsHopProfile extends HopProfile {

    /** Maximum number of connections of clients. */
    static final int CLIENTS = 50;

    @Override
    public Map<String, String> getConfigOverrides() {
        var settings = new HashMap<>(super.getConfigOverrides());
        settings.put("quarkus.http.test-ssl-port", "0");
        settings.put("quarkus.http.limits.max-connections", Integer.toString(CLIENTS));
        settings.put("rate-limit.upstream.connect-timeout", "1s");
        settings.put("rate-limit.upstream.tls-configuration-name", "upstream");
        return settings;
    }
}
