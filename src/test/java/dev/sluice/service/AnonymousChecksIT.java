package dev.sluice.service;

import static dev.sluice.testing.HttpTestClient.error;
import static dev.sluice.testing.HttpTestClient.header;
import static dev.sluice.testing.HttpTestClient.json;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.sluice.testing.EchoUpstream;
import dev.sluice.testing.FreePorts;
import dev.sluice.testing.HttpTestClient;
import dev.sluice.testing.Instance;
import dev.sluice.testing.RedisTestServer;

/** Requests without a token to the decision endpoints of the packaged program, with the defaults of the service. */
@Execution(ExecutionMode.CONCURRENT)
class AnonymousChecksIT {

    private static final String CHECK = "{\"identifier\":\"a\",\"resource\":\"r\",\"rate\":\"1000000/day\"}";
    private static final String[] ADMIN = {"Authorization", "Bearer admin-secret"};

    private static Map<String, String> settings(String... more) {
        var settings = new HashMap<>(
                Map.of("RATE_LIMIT_CHECK_RATE", Instance.DEFAULT, "RATE_LIMIT_CHECK_OPEN", Instance.DEFAULT,
                        "RATE_LIMIT_ADMIN_TOKEN", "admin-secret"));
        for (int i = 0; i < more.length; i += 2) {
            settings.put(more[i], more[i + 1]);
        }
        return settings;
    }

    /** The warm-up has sent thousands of checks from the same address. */
    @Test
    void addressHasTheDefaultRateAndTheWarmUpUsesNothingOfIt() {
        try (var redis = RedisTestServer.start();
                var sluice = Instance.start(settings("REDIS_HOST", "127.0.0.1", "REDIS_PORT", Integer.toString(redis.port()),
                        "RATE_LIMIT_TIMEOUT", "5s"))) {
            var http = new HttpTestClient(sluice.port());
            assertThat(sluice.log()).contains("/v1/check open without a token, at 600/minute for each address")
                    .contains("RATE_LIMIT_CHECK_RATE, RATE_LIMIT_CHECK_OPEN=false or RATE_LIMIT_API_TOKEN");
            assertThat(json(http.get("/v1/limits?identifier=ip:127.0.0.1", ADMIN)).getJsonObject("limits")).isEmpty();
            int admitted = 0;
            var response = http.post("/v1/check", CHECK);
            while (response.statusCode() == 200) {
                admitted++;
                response = http.post("/v1/check", CHECK);
            }
            assertThat(admitted).isGreaterThanOrEqualTo(600); // more if it takes longer than a minute
            assertThat(response.statusCode()).isEqualTo(429);
            assertThat(header(response, "RateLimit-Policy")).isEqualTo("\"api:check\";q=600;w=60");
            assertThat(new HttpTestClient(sluice.managementPort()).get("/q/metrics").body()).contains(
                    "rate_limit_decisions_total{outcome=\"denied\",resource=\"api:check\",store=\"redis\",tier=\"free\"} 1.0");
        }
    }

    @Test
    void checksAreClosedBesideAnUpstreamUnlessOpened() {
        var upstream = new EchoUpstream();
        var url = "http://127.0.0.1:" + upstream.listen(0);
        try (var sluice = Instance.start(settings("REDIS_ENABLED", "false", "UPSTREAM_URL", url))) {
            var http = new HttpTestClient(sluice.port());
            assertThat(sluice.log()).contains("/v1/check closed without a token because there is an upstream"
                    + " (RATE_LIMIT_API_TOKEN, or RATE_LIMIT_CHECK_OPEN=true)");
            var closed = http.post("/v1/check", CHECK);
            assertThat(closed.statusCode()).isEqualTo(403);
            assertThat(error(closed).getString("code")).isEqualTo("RATE_4031");
            assertThat(http.post("/v1/check", CHECK, ADMIN).statusCode()).isEqualTo(200);
            assertThat(http.get("/x").statusCode()).isEqualTo(200);
        }
        try (var sluice = Instance
                .start(settings("REDIS_ENABLED", "false", "UPSTREAM_URL", url, "RATE_LIMIT_CHECK_OPEN", "true"))) {
            assertThat(sluice.log()).contains("/v1/check open without a token, at 600/minute for each address");
            assertThat(new HttpTestClient(sluice.port()).post("/v1/check", CHECK).statusCode()).isEqualTo(200);
        }
        try (var sluice = Instance
                .start(settings("REDIS_ENABLED", "false", "UPSTREAM_URL", url, "RATE_LIMIT_API_TOKEN", "api-secret",
                        "RATE_LIMIT_CHECK_OPEN", "true"))) {
            var http = new HttpTestClient(sluice.port());
            assertThat(sluice.log()).contains("/v1/check with the API token (RATE_LIMIT_API_TOKEN)");
            assertThat(http.post("/v1/check", CHECK).statusCode()).isEqualTo(401);
            assertThat(http.post("/v1/check", CHECK, "Authorization", "Bearer api-secret").statusCode()).isEqualTo(200);
        } finally {
            upstream.stop();
        }
    }

    @Test
    void checksCanBeClosedWithoutAnUpstream() {
        try (var sluice = Instance.start(settings("REDIS_ENABLED", "false", "RATE_LIMIT_CHECK_OPEN", "false"))) {
            assertThat(sluice.log()).contains("/v1/check closed without a token by RATE_LIMIT_CHECK_OPEN=false");
            assertThat(new HttpTestClient(sluice.port()).post("/v1/check", CHECK).statusCode()).isEqualTo(403);
        }
    }

    /** As for other limits. */
    @ParameterizedTest
    @CsvSource({"local,429", "open,200", "closed,503"})
    void fallbackHoldsWithoutRedis(String fallback, int status) {
        try (var sluice = Instance.start(settings("REDIS_PORT", Integer.toString(FreePorts.next()), "RATE_LIMIT_FALLBACK",
                fallback, "RATE_LIMIT_CHECK_RATE", "2/day"))) {
            var http = new HttpTestClient(sluice.port());
            http.post("/v1/check", CHECK);
            http.post("/v1/check", CHECK);
            var third = http.post("/v1/check", CHECK);
            assertThat(third.statusCode()).isEqualTo(status);
            assertThat(header(third, "X-RateLimit-Mode")).isEqualTo(fallback.equals("closed") ? null : fallback);
        }
    }

    @Test
    void dryRunReportsTheDenial() {
        try (var sluice = Instance
                .start(settings("REDIS_ENABLED", "false", "RATE_LIMIT_DRY_RUN", "true", "RATE_LIMIT_CHECK_RATE", "1/day"))) {
            var http = new HttpTestClient(sluice.port());
            assertThat(header(http.post("/v1/check", CHECK), "X-RateLimit-Dry-Run")).isNull();
            var denied = http.post("/v1/check", CHECK);
            assertThat(denied.statusCode()).isEqualTo(200);
            assertThat(header(denied, "X-RateLimit-Dry-Run")).isEqualTo("denied");
        }
    }

    @Test
    void invalidSettingsAbortTheStart() {
        assertThat(Instance.startExpectingFailure(settings("REDIS_ENABLED", "false", "RATE_LIMIT_CHECK_RATE", "often",
                "RATE_LIMIT_CHECK_MAX_TOTAL_WINDOW", "249d")))
                .contains("rate-limit.check.rate=often: ").contains("COUNT/WINDOW")
                .contains("rate-limit.check.max-total-window=249d: a duration from 1s to 248d").doesNotContain("\tat ");
        assertThat(Instance.startExpectingFailure(
                settings("REDIS_ENABLED", "false", "RATE_LIMIT_CHECK_MAX_TOTAL_WINDOW", "long")))
                .contains("rate-limit.check.max-total-window");
        assertThat(Instance
                .startExpectingFailure(settings("REDIS_ENABLED", "false", "RATE_LIMIT_CHECK_MAX_TOTAL_WINDOW", "500ms")))
                .contains("rate-limit.check.max-total-window=500ms: ");
    }
}
