package dev.sluice.service.proxy;

import java.util.Map;

import dev.sluice.testing.RawUpstream;
import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;

/** Starts the upstream of the tests of this package. */
public class RawUpstreamResource implements QuarkusTestResourceLifecycleManager {

    static volatile RawUpstream upstream;

    @Override
    public Map<String, String> start() {
        upstream = new RawUpstream();
        return Map.of("rate-limit.upstream.url", "http://127.0.0.1:" + upstream.port());
    }

    @Override
    public void stop() {
        if (upstream != null) {
            upstream.close();
        }
    }
}
