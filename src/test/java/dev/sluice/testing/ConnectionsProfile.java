package dev.sluice.testing;

import java.util.Map;

/** Short timeouts, and two upstream connections. */
public class ConnectionsProfile extends GatewayProfile {

    /** Maximum number of upstream connections. */
    public static final int CONNECTIONS = 2;

    @Override
    public Map<String, String> getConfigOverrides() {
        var settings = new java.util.HashMap<>(super.getConfigOverrides());
        settings.put("rate-limit.connections.head-timeout", "500ms");
        settings.put("rate-limit.connections.body-timeout", "500ms");
        settings.put("rate-limit.connections.idle-timeout", "2s");
        settings.put("rate-limit.connections.reader-timeout", "1s");
        settings.put("rate-limit.upstream.max-connections", Integer.toString(CONNECTIONS));
        settings.put("rate-limit.default", "unlimited");
        return settings;
    }
}
