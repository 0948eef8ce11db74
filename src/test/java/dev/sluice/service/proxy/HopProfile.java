package dev.sluice.service.proxy;

import java.util.HashMap;
import java.util.Map;

import io.quarkus.test.junit.QuarkusTestProfile;

/** Short timeouts, few upstream connections, and no Redis. Peers at 127.0.0.2 are trusted. */
public class HopProfile implements QuarkusTestProfile {

    /** Maximum number of concurrent requests to the upstream. */
    static final int CONNECTIONS = 5;
    /** Maximum number of event streams and WebSockets. */
    static final int STREAMS = 2 * CONNECTIONS;
    /** Path that is always denied. */
    static final String DENIED = "/denied";
    /** Source address of a client whose forwarding fields are trusted. */
    static final String TRUSTED_PEER = "127.0.0.2";

    @Override
    public Map<String, String> getConfigOverrides() {
        var settings = new HashMap<String, String>();
        settings.put("rate-limit.redis.enabled", "false");
        settings.put("rate-limit.default", "unlimited");
        settings.put("rate-limit.endpoints.\"" + DENIED + "\".free", "blocked");
        settings.put("rate-limit.trusted-proxies", TRUSTED_PEER + "/32");
        settings.put("rate-limit.upstream.max-connections", Integer.toString(CONNECTIONS));
        settings.put("rate-limit.upstream.max-streams", Integer.toString(STREAMS));
        settings.put("rate-limit.upstream.queue-timeout", "5s");
        settings.put("rate-limit.upstream.timeout", "3s");
        settings.put("rate-limit.upstream.idle-timeout", "3s");
        settings.put("quarkus.shutdown.timeout", "1s");
        return settings;
    }
}
