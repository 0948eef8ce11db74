package dev.sluice.service.api;

import static dev.sluice.testing.RawHttpConnection.post;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;

import jakarta.inject.Inject;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.api.Rate;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.identity.Sha256;
import dev.sluice.testing.AnonymousChecksProfile;
import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.RawHttpConnection;
import dev.sluice.testing.RedisTestResource;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.json.JsonObject;

/** Requests without a token to the decision endpoints. */
@QuarkusTest
@TestProfile(AnonymousChecksProfile.class)
@WithTestResource(RedisTestResource.class)
class AnonymousChecksTest extends HttpTestBase {

    private static final int LIMIT = AnonymousChecksProfile.LIMIT;
    private static final String CHECK = "{\"identifier\":\"a\",\"resource\":\"r\",\"rate\":\"1000000/day\"}";
    private static final String LLM_CHECK = "{\"provider\":\"openai\",\"identifier\":\"a\",\"model\":\"m\"}";
    private static final String LLM_USAGE = "{\"provider\":\"openai\",\"identifier\":\"a\",\"model\":\"m\",\"input_tokens\":1}";
    private static final String TOKEN = "Authorization: Bearer admin-secret";

    @Inject
    EndpointAuthorization authorization;

    private RawHttpConnection.Response send(String localAddress, String request) throws IOException {
        try (var connection = new RawHttpConnection(port, localAddress)) {
            connection.send(request);
            return connection.readResponse();
        }
    }

    private RawHttpConnection.Response check(String... headers) throws IOException {
        return send("127.0.0.1", post("/v1/check", CHECK, headers));
    }

    private static String check(String identifier, String rate) {
        return new JsonObject().put("identifier", identifier).put("resource", "r").put("rate", rate).encode();
    }

    /** Consumes units of an address's rate, without requests. */
    private void consume(String identifier, int units) {
        var decision = limiter.check(RateLimitRequest.of(identifier, "api:check", Rate.of(LIMIT, Duration.ofDays(1)), units))
                .await().indefinitely();
        assertThat(decision.allowed()).isTrue();
    }

    private long counted(String identifier) {
        return admin.limits(identifier).await().indefinitely().getOrDefault("api:check", 0L);
    }

    @Test
    void addressHasExactlyItsRate() throws Exception {
        var requests = new ArrayList<Callable<Integer>>();
        for (int i = 0; i < 8; i++) {
            requests.add(() -> {
                int admitted = 0;
                try (var connection = new RawHttpConnection(port)) {
                    for (int j = 0; j < LIMIT / 6; j++) {
                        connection.send(post("/v1/check", CHECK));
                        int status = connection.readResponse().status();
                        assertThat(status).isIn(200, 429);
                        admitted += status == 200 ? 1 : 0;
                    }
                }
                return admitted;
            });
        }
        var threads = Executors.newFixedThreadPool(requests.size());
        try {
            int admitted = 0;
            for (var result : threads.invokeAll(requests)) {
                admitted += result.get();
            }
            assertThat(admitted).isEqualTo(LIMIT);
        } finally {
            threads.shutdown();
        }
        assertThat(admin.limits("a").await().indefinitely()).containsEntry("r", (long) LIMIT);
        assertThat(check().status()).isEqualTo(429);
        assertThat(send("127.0.0.2", post("/v1/check", CHECK)).status()).isEqualTo(200);
        assertThat(counted("ip:127.0.0.2")).isEqualTo(1);
    }

    @Test
    void denialMatchesTheContract() throws IOException {
        consume("ip:127.0.0.1", LIMIT);
        var denied = check();
        assertThat(denied.status()).isEqualTo(429);
        assertThat(denied.header("Content-Type")).isEqualTo("application/json");
        assertThat(denied.header("X-RateLimit-Limit")).isEqualTo("600");
        assertThat(denied.header("X-RateLimit-Remaining")).isEqualTo("0");
        assertThat(denied.header("X-RateLimit-Reset")).isNotNull();
        assertThat(denied.header("RateLimit-Policy")).isEqualTo("\"api:check\";q=600;w=86400");
        var error = new JsonObject(denied.text()).getJsonObject("error");
        assertThat(error.getString("code")).isEqualTo("RATE_5001");
        assertThat(error.getString("message")).startsWith("Rate limit exceeded: ").contains("rate-limit.check.rate");
        assertThat(error.getJsonObject("details").getInteger("retry_after").toString())
                .isEqualTo(denied.header("Retry-After"));
        assertThat(admin.limits("a").await().indefinitely()).isEmpty();
        var problem = check("Accept: application/problem+json");
        assertThat(new JsonObject(problem.text()).getJsonArray("violated-policies")).containsExactly("api:check");
    }

    /** Headers describe the window that the client has asked about. */
    @Test
    void admittedCheckReportsItsOwnWindow() throws IOException {
        var admitted = check();
        assertThat(admitted.status()).isEqualTo(200);
        assertThat(admitted.header("RateLimit-Policy")).isEqualTo("\"r\";q=1000000;w=86400");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {"/v1/check|" + CHECK, "/v1/check/|" + CHECK,
            "/v1/check;x=1|" + CHECK, "/v1/%63heck|" + CHECK, "/v1/check|nonsense", "/v1/llm/check|" + LLM_CHECK,
            "/v1/llm/usage|" + LLM_USAGE})
    void allEndpointsShareTheRate(String path, String body) throws IOException {
        consume("ip:127.0.0.1", LIMIT - 1);
        assertThat(send("127.0.0.1", post(path, body)).status()).isNotEqualTo(429);
        assertThat(send("127.0.0.1", post(path, body)).status()).isEqualTo(429);
        assertThat(send("127.0.0.1", post(path, body, TOKEN)).status()).isNotEqualTo(429);
        assertThat(send("127.0.0.2", post(path, body)).status()).isNotEqualTo(429);
        assertThat(counted("ip:127.0.0.1")).isEqualTo(LIMIT);
    }

    @Test
    void requestsThatDecideNothingCostNothing() throws IOException {
        assertThat(send("127.0.0.1", "GET /v1/check HTTP/1.1\r\nHost: x\r\n\r\n").status()).isEqualTo(405);
        assertThat(send("127.0.0.1", "GET /v1/limits?identifier=a HTTP/1.1\r\nHost: x\r\n\r\n").status()).isEqualTo(403);
        assertThat(counted("ip:127.0.0.1")).isZero();
    }

    @Test
    void holdersOfATokenAreNotLimited() throws IOException {
        consume("ip:127.0.0.1", LIMIT);
        for (int i = 0; i < 3; i++) {
            assertThat(check(TOKEN).status()).isEqualTo(200);
        }
        assertThat(send("127.0.0.1", post("/v1/check", check("user:b", "9/31d;9/30d"), TOKEN)).status()).isEqualTo(200);
        assertThat(counted("ip:127.0.0.1")).isEqualTo(LIMIT);
    }

    /** It counts as a failed attempt, on the default rule. */
    @Test
    void wrongTokenDoesNotEvadeTheRate() throws IOException {
        assertThat(check("Authorization: Bearer guess").status()).isEqualTo(401);
        assertThat(admin.limits("ip:127.0.0.1").await().indefinitely()).containsOnlyKeys("api:default");
    }

    @Test
    void clientDoesNotChooseItsAddress() throws IOException {
        consume("ip:127.0.0.1", LIMIT);
        for (var header : List.of("X-Forwarded-For: 203.0.113.1", "Forwarded: for=203.0.113.2", "X-Real-IP: 203.0.113.3",
                "X-User-Id: alice", "X-API-Key: any", "X-Forwarded-For: 127.0.0.9\r\nX-Forwarded-For: 203.0.113.4")) {
            assertThat(check(header).status()).as(header).isEqualTo(429);
        }
        for (var header : List.of("X-Forwarded-For: 203.0.113.5, 203.0.113.6", "X-Forwarded-For: 203.0.113.7, 203.0.113.6",
                "Forwarded: for=203.0.113.8, for=203.0.113.6")) {
            assertThat(send(AnonymousChecksProfile.PROXY, post("/v1/check", CHECK, header)).status()).isEqualTo(200);
        }
        assertThat(counted("ip:203.0.113.6")).isEqualTo(3);
    }

    @Test
    void addressesOfANetworkOfIpv6ShareTheRate() throws IOException {
        consume("ip:2001:db8:1:2::", LIMIT);
        for (var address : List.of("2001:db8:1:2::1", "[2001:db8:1:2:ffff::9]:443")) {
            assertThat(send(AnonymousChecksProfile.PROXY, post("/v1/check", CHECK, "X-Forwarded-For: " + address)).status())
                    .as(address).isEqualTo(429);
        }
        assertThat(send(AnonymousChecksProfile.PROXY, post("/v1/check", CHECK, "X-Forwarded-For: 2001:db8:1:3::1")).status())
                .isEqualTo(200);
    }

    @ParameterizedTest
    @CsvSource({"9/31d;9/5d,400", "9/31d;9/4d;9/1s,400", "9/31d;9/4d,200", "9/31d,200",
            "9/5d;9/121h;9/122h;9/123h;9/124h;9/125h;9/126h;9/127h,400", "unlimited,200"})
    void totalLengthOfWindowsIsBounded(String rate, int status) throws IOException {
        var response = send("127.0.0.1", post("/v1/check", check("long", rate)));
        assertThat(response.status()).isEqualTo(status);
        if (status == 400) {
            var error = new JsonObject(response.text()).getJsonObject("error");
            assertThat(error.getString("code")).isEqualTo("RATE_4001");
            assertThat(error.getString("message")).contains("rate-limit.check.max-total-window").contains("3024000");
            assertThat(error.getJsonObject("details").getString("field")).isEqualTo("rate");
            assertThat(admin.limits("long").await().indefinitely()).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"user:alice", "ip:127.0.0.1", "key:lower", "key:upper"})
    void identifiersOfCallersAreReserved(String name) throws IOException {
        var hash = Sha256.hex("sk-of-a-caller");
        var identifier = name.replace("lower", hash).replace("upper", hash.toUpperCase(java.util.Locale.ROOT));
        for (var request : List.of(post("/v1/check", check(identifier, "9/minute")),
                post("/v1/check", "{\"identifier\":\"" + identifier.replace("e", "\\u0065") + "\",\"resource\":\"llm:openai\","
                        + "\"tier\":\"free\"}"),
                post("/v1/llm/check", LLM_CHECK.replace("\"a\"", '"' + identifier + '"')),
                post("/v1/llm/usage", LLM_USAGE.replace("\"a\"", '"' + identifier + '"')))) {
            var response = send("127.0.0.1", request);
            assertThat(response.status()).isEqualTo(403);
            assertThat(response.text()).contains("RATE_4031").contains("\"field\":\"identifier\"")
                    .contains("RATE_LIMIT_API_TOKEN");
        }
        assertThat(admin.limits(identifier).await().indefinitely()).doesNotContainKeys("r", "llm:openai");
        assertThat(send("127.0.0.1", post("/v1/check", check(identifier, "9/minute"), TOKEN)).status()).isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(strings = {"key:abc", "key:", "keys:", "User:a", "users", "ipv4"})
    void otherIdentifiersAreNotReserved(String identifier) throws IOException {
        assertThat(send("127.0.0.1", post("/v1/check", check(identifier, "9/minute"))).status()).isEqualTo(200);
        var almost = "key:" + "g".repeat(64);
        assertThat(send("127.0.0.1", post("/v1/check", check(almost, "9/minute"))).status()).isEqualTo(200);
    }

    @Test
    void warmUpCountsAgainstNoAddress() throws IOException {
        consume("ip:127.0.0.1", LIMIT);
        var header = "Authorization: " + authorization.beginWarmUp();
        assertThat(check(header).status()).isEqualTo(200);
        authorization.endWarmUp();
        assertThat(check(header).status()).isEqualTo(401);
    }
}
