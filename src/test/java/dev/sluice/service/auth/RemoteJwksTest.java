package dev.sluice.service.auth;

import static dev.sluice.testing.Polling.await;
import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.is;
import static org.hamcrest.Matchers.nullValue;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;

import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

import dev.sluice.testing.EchoUpstream;
import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.JwksServer;
import dev.sluice.testing.LogRecorder;
import dev.sluice.testing.SigningKey;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;

/** The server of the keys is away, hangs, answers, is away again, and has new keys; in this order. */
@QuarkusTest
@TestProfile(RemoteJwksTest.Profile.class)
@WithTestResource(JwksServer.class)
@WithTestResource(EchoUpstream.class)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class RemoteJwksTest extends HttpTestBase {

    public static class Profile implements QuarkusTestProfile {

        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of("rate-limit.redis.enabled", "false", "rate-limit.jwt.timeout", "1m",
                    "rate-limit.jwt.min-refresh-interval", "1s", "rate-limit.default", "unlimited");
        }
    }

    /** More than Quarkus has worker threads on a small machine. */
    private static final int REQUESTS = 300;
    private static final SigningKey FIRST = new SigningKey("first");
    private static final SigningKey SECOND = new SigningKey("second");

    private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    JwksServer jwks;

    @ConfigProperty(name = "quarkus.management.test-port", defaultValue = "9001")
    int managementPort;

    private int status(String token) {
        return http.get("/echo", "Authorization", "Bearer " + token).statusCode();
    }

    private CompletableFuture<Integer> statusLater(String token) {
        return client.sendAsync(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/echo"))
                .header("Authorization", "Bearer " + token).build(), BodyHandlers.discarding())
                .thenApply(response -> response.statusCode());
    }

    private double rejected(String reason) {
        return given().port(managementPort).get("/q/metrics").asString().lines()
                .filter(line -> line.startsWith("rate_limit_credentials_rejected_total")
                        && line.contains("reason=\"" + reason + "\"") && line.contains("kind=\"jwt\""))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ')))).sum();
    }

    @Test
    @Order(1)
    void withoutKeysTokensAreNotRejected() {
        double before = rejected("keys_unavailable");
        given().header("Authorization", "Bearer " + FIRST.token("alice")).get("/echo").then().statusCode(503)
                .header("Retry-After", "1").header("WWW-Authenticate", nullValue())
                .body("error.code", is("RATE_5002")).body("error.message", containsString("keys"));
        given().header("Authorization", "Bearer " + FIRST.token("alice")).contentType("application/json")
                .body("{\"model\":\"gpt-4o\",\"messages\":[]}").post("/openai/v1/chat/completions").then().statusCode(503)
                .header("Retry-After", "1").body("error.type", is("server_error"));
        assertThat(rejected("keys_unavailable")).isEqualTo(before + 2);
        assertThat(http.get("/echo").statusCode()).as("without a token").isEqualTo(200);
        assertThat(http.get("/echo", "Authorization", "Bearer sk-opaque").statusCode()).isEqualTo(200);
    }

    /** Each fetch would take a minute, which is longer than the test. */
    @Test
    @Order(2)
    void hangingServerIsAskedOnceAndHoldsUpNothingElse() throws Exception {
        var answer = new CountDownLatch(1);
        jwks.server().on(JwksServer.PATH, exchange -> {
            answer.await();
            exchange.send(JwksServer.response(FIRST));
        });
        await().until(() -> jwks.server().inProgress() == 1);
        int asked = jwks.server().received(JwksServer.PATH).size();
        var waiting = new ArrayList<CompletableFuture<Integer>>();
        for (int i = 0; i < REQUESTS; i++) {
            waiting.add(statusLater(FIRST.token("user" + i)));
        }
        for (var path : List.of("/q/health/live", "/q/health/ready", "/q/metrics")) {
            given().port(managementPort).get(path).then().statusCode(200);
        }
        assertThat(http.get("/echo").statusCode()).isEqualTo(200);
        assertThat(http.post("/v1/check", "{\"identifier\":\"a\",\"resource\":\"b\",\"rate\":\"1/minute\"}", "Content-Type",
                "application/json", "Authorization", "Bearer " + FIRST.token("alice")).statusCode()).isNotEqualTo(503);
        assertThat(waiting).noneMatch(CompletableFuture::isDone);
        assertThat(jwks.server().received(JwksServer.PATH)).hasSize(asked);

        answer.countDown();
        for (var done : waiting) {
            assertThat(done.get(60, TimeUnit.SECONDS)).isEqualTo(200);
        }
        assertThat(jwks.server().received(JwksServer.PATH)).hasSize(asked);
    }

    @Test
    @Order(3)
    void lastKeysStayInForceWhileTheServerIsAway() {
        jwks.server().stopListening();
        await().untilAsserted(() -> assertThat(status(SECOND.token("alice"))).as("unknown, and cannot be fetched")
                .isEqualTo(503));
        assertThat(status(FIRST.token("alice"))).isEqualTo(200);
        assertThat(status(new SigningKey("first").token("alice"))).isEqualTo(401);
    }

    @Test
    @Order(4)
    void newKeysAreFetchedForAnUnknownKey() {
        jwks.publish(SECOND);
        jwks.server().startListening();
        await().untilAsserted(() -> assertThat(status(SECOND.token("alice"))).isEqualTo(200));
        double before = rejected("unknown_key");
        assertThat(status(FIRST.token("alice"))).as("no longer published").isEqualTo(401);
        assertThat(rejected("unknown_key")).isEqualTo(before + 1);
    }

    @Test
    @Order(5)
    void reasonIsLoggedOnceWithoutTheToken() {
        double before = rejected("expired");
        var log = LogRecorder.start(Level.WARNING, false);
        try {
            var expired = SECOND.sign(SigningKey.claims("alice").put("exp", 1_000_000_000));
            for (int i = 0; i < 5; i++) {
                given().header("Authorization", "Bearer " + expired).get("/echo").then().statusCode(401)
                        .body("error.code", is("RATE_4011"));
            }
            assertThat(log.records()).filteredOn(line -> line.contains("reason=expired")).hasSize(1)
                    .allSatisfy(line -> assertThat(line).contains("JWT rejected reason=expired occurrences=1 exp=1000000000"));
            assertThat(log.records()).noneMatch(line -> line.contains(expired.substring(expired.indexOf('.'))));
        } finally {
            log.close();
        }
        assertThat(rejected("expired")).isEqualTo(before + 5);
    }
}
