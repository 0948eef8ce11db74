package dev.sluice.attack;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;

import dev.sluice.testing.Instance;
import dev.sluice.testing.RawHttpConnection;
import dev.sluice.testing.RawUpstream;

/** Floods an instance without Redis, whose memory for windows is small, with identifiers, to push out a caller's window. */
final class FloodWithoutRedis {

    private static final int IDENTIFIERS = 20_000;
    private static final String GET = "GET /things HTTP/1.1\r\nHost: sluice\r\n\r\n";

    private FloodWithoutRedis() {
    }

    static String run() throws Exception {
        try (var upstream = new RawUpstream();
                var sluice = Instance.start(Map.of("REDIS_ENABLED", "false", "RATE_LIMIT_MEMORY_MAX_SIZE", "1M",
                        "UPSTREAM_URL", "http://127.0.0.1:" + upstream.port(), "RATE_LIMIT_CHECK_OPEN", "true",
                        "RATE_LIMIT_CHECK_RATE", "unlimited", "RATE_LIMIT_DEFAULT", "5/day"))) {
            for (int i = 0; i < 6; i++) {
                assertThat(RawHttpConnection.exchange(sluice.port(), GET).status()).isEqualTo(i < 5 ? 200 : 429);
            }
            try (var flood = new RawHttpConnection(sluice.port(), "127.0.6.1")) {
                for (int i = 0; i < IDENTIFIERS; i++) {
                    flood.send(RawHttpConnection.post("/v1/check",
                            "{\"identifier\":\"free" + i + "\",\"resource\":\"r\",\"rate\":\"10/day\"}"));
                    assertThat(flood.readResponse().status()).isEqualTo(200);
                }
            }
            assertThat(RawHttpConnection.exchange(sluice.port(), GET).status()).as("the caller's window").isEqualTo(429);
        }
        return IDENTIFIERS + " identifiers in 1 MB, and the caller is still denied";
    }
}
