package dev.sluice.service.gateway;

import static dev.sluice.testing.HttpTestClient.error;
import static dev.sluice.testing.HttpTestClient.header;
import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;

import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.api.Rate;
import dev.sluice.testing.EchoUpstream;
import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.Polling;
import dev.sluice.testing.RawHttpConnection;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.RichRulesProfile;
import dev.sluice.testing.WebSocketBytes;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.json.JsonObject;

/** Limits of requests in flight on the gateway: a slot is free after every end of a request. */
@QuarkusTest
@TestProfile(RichRulesProfile.Gateway.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(EchoUpstream.class)
class GatewayConcurrencyTest extends HttpTestBase {

    @ConfigProperty(name = "quarkus.management.test-port")
    int managementPort;

    private long inFlight(String identifier, String resource) {
        var quota = limiter.check(identifier, resource, Rate.concurrency(100), 0).await().indefinitely().quotas().get(0);
        return 100 - quota.remaining();
    }

    private void awaitInFlight(String path, long expected) {
        Polling.await().untilAsserted(() -> {
            assertThat(inFlight("ip:127.0.0.1", "api:" + path)).isEqualTo(expected);
            assertThat(gauge("api:" + path)).isEqualTo(expected);
        });
    }

    private double gauge(String resource) {
        return given().port(managementPort).get("/q/metrics").asString().lines()
                .filter(line -> line.startsWith("rate_limit_in_flight{") && line.contains("resource=\"" + resource + '"'))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1))).sum();
    }

    private static String get(String path) {
        return "GET " + path + " HTTP/1.1\r\nHost: sluice.test\r\n\r\n";
    }

    /** Sends a request whose response does not end. */
    private RawHttpConnection begin(String path, String query) throws IOException {
        var connection = new RawHttpConnection(port);
        connection.send(get(path + '?' + query));
        assertThat(connection.readLine()).contains(" 200 ");
        return connection;
    }

    @AfterEach
    void endResponses() {
        EchoUpstream.TRICKLING.values().stream().filter(response -> !response.ended()).forEach(response -> response.end());
        EchoUpstream.TRICKLING.clear();
    }

    @Test
    void refusalTellsTheLimit() throws IOException {
        var held = begin("/trickle", "refusal");
        var refused = http.get("/trickle?other");

        assertThat(refused.statusCode()).isEqualTo(429);
        assertThat(refused.body())
                .isEqualTo("{\"error\":{\"code\":\"RATE_5003\",\"message\":\"Too many requests in flight\","
                        + "\"details\":{\"limit\":1,\"retry_after\":1,\"unit\":\"concurrent_requests\"}}}");
        assertThat(header(refused, "Retry-After")).isEqualTo("1");
        assertThat(header(refused, "X-RateLimit-Limit")).isEqualTo("1");
        assertThat(header(refused, "X-RateLimit-Remaining")).isEqualTo("0");
        assertThat(header(refused, "RateLimit-Policy")).isEqualTo(
                "\"api:/trickle/60\";q=1000;w=60, \"api:/trickle/in-flight\";q=1;qu=\"concurrent-requests\"");
        assertThat(header(refused, "RateLimit")).contains("\"api:/trickle/in-flight\";r=0;t=1");
        assertThat(admin.limits("ip:127.0.0.1").await().indefinitely()).as("units of the rate")
                .containsEntry("api:/trickle", 1L);
        var problem = http.get("/trickle?other", "Accept", "application/problem+json");
        assertThat(problem.body()).contains("\"code\":\"RATE_5003\"", "\"violated-policies\":[\"api:/trickle/in-flight\"]");
        awaitInFlight("/trickle", 1);
        Polling.await().untilAsserted(() -> assertThat(inTraffic("api:/trickle")).isEqualTo(1));
        held.close();
        awaitInFlight("/trickle", 0);
        Polling.await().untilAsserted(() -> assertThat(inTraffic("api:/trickle")).isZero());
    }

    private long inTraffic(String rule) {
        var traffic = http.get("/v1/traffic?rule=" + rule, "Authorization", "Bearer the-admin-token");
        return new JsonObject(traffic.body()).getJsonArray("rules").stream().map(JsonObject.class::cast)
                .mapToLong(row -> row.getLong("in_flight")).sum();
    }

    @Test
    void admittedRequestReportsItsRate() {
        var response = http.get("/status/204");
        assertThat(header(response, "X-RateLimit-Limit")).isEqualTo("1000");
        assertThat(header(response, "X-RateLimit-Remaining")).isEqualTo("999");
        assertThat(header(response, "RateLimit")).contains("\"api:/status/in-flight\";r=0");
    }

    @Test
    void sequentialRequestsAreNeverRefused() {
        for (int i = 0; i < 200; i++) {
            assertThat(http.get("/status/200").statusCode()).isEqualTo(200);
        }
        awaitInFlight("/status", 0);
    }

    @Test
    void slotIsFreeWhenTheResponseHasEnded() throws IOException {
        var held = begin("/trickle", "complete");
        EchoUpstream.TRICKLING.get("complete").end("last");
        awaitInFlight("/trickle", 0);
        held.close();
    }

    @Test
    void slotIsFreeWhenTheClientIsGoneWithinTheResponse() throws IOException {
        begin("/trickle", "gone").reset();
        awaitInFlight("/trickle", 0);
    }

    @Test
    void slotIsFreeWhenTheClientIsGoneBeforeTheResponse() throws IOException {
        var connection = new RawHttpConnection(port);
        connection.send(get("/silent"));
        awaitInFlight("/silent", 1);
        connection.close();
        awaitInFlight("/silent", 0);
    }

    @Test
    void slotIsFreeAfterTheTimeout() {
        assertThat(http.get("/silent").statusCode()).isEqualTo(504);
        awaitInFlight("/silent", 0);
    }

    @Test
    void slotIsFreeWhenTheUpstreamHangsUp() {
        assertThat(http.get("/hangup").statusCode()).isEqualTo(502);
        awaitInFlight("/hangup", 0);
    }

    @Test
    void slotIsFreeWhenTheUpstreamBreaksOff() throws IOException {
        var held = begin("/trickle", "broken");
        EchoUpstream.TRICKLING.remove("broken").reset();
        awaitInFlight("/trickle", 0);
        held.close();
    }

    @Test
    void slotIsFreeWhenTheClientReadsNothing() throws IOException {
        try (var connection = new RawHttpConnection(port)) {
            connection.send(get("/download"));
            awaitInFlight("/download", 1);
        }
        awaitInFlight("/download", 0);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void webSocketHoldsTheSlotUntilItIsClosed(boolean reset) throws IOException {
        var socket = new RawHttpConnection(port);
        socket.send(WebSocketBytes.handshake("/ws"));
        assertThat(socket.readHeaderSection().get(0)).contains(" 101 ");
        awaitInFlight("/ws", 1);
        assertThat(http.get("/ws").statusCode()).isEqualTo(429);
        if (reset) {
            socket.reset();
        } else {
            socket.close();
        }
        awaitInFlight("/ws", 0);
    }

    @Test
    void refusedWebSocketHoldsNoSlot() throws IOException {
        try (var socket = new RawHttpConnection(port)) {
            socket.send(WebSocketBytes.handshake("/no-ws"));
            assertThat(socket.readResponse().status()).isEqualTo(403);
            awaitInFlight("/no-ws", 0);
        }
    }

    @Test
    void ruleThatHoldsTooLimitsItsKey() throws IOException {
        var one = beginOfTenant("one");
        var two = beginOfTenant("two");
        var refused = http.get("/trickle/all?three", "X-Tenant", "acme");
        assertThat(refused.statusCode()).isEqualTo(429);
        assertThat(error(refused).getString("code")).isEqualTo("RATE_5003");
        assertThat(error(refused).getJsonObject("details").getInteger("limit")).isEqualTo(2);
        one.close();
        two.close();
        Polling.await().untilAsserted(() -> assertThat(inFlight("header:x-tenant=acme", "rule:two-in-flight")).isZero());
        assertThat(gauge("rule:two-in-flight")).isZero();
    }

    private RawHttpConnection beginOfTenant(String query) throws IOException {
        var connection = new RawHttpConnection(port);
        connection.send("GET /trickle/all?" + query + " HTTP/1.1\r\nHost: sluice.test\r\nX-Tenant: acme\r\n\r\n");
        assertThat(connection.readLine()).contains(" 200 ");
        return connection;
    }

    @Test
    void forwardAuthenticationIgnoresIt() throws IOException {
        var held = begin("/trickle", "auth");
        var asked = http.get("/v1/forward-auth", "X-Original-URI", "/trickle", "X-Original-Method", "GET");
        assertThat(asked.statusCode()).isEqualTo(200);
        assertThat(header(asked, "RateLimit-Policy")).isEqualTo("\"api:/trickle\";q=1000;w=60");

        var tried = given().header("Authorization", "Bearer the-admin-token").contentType("application/json")
                .body("{\"path\":\"/trickle\",\"remote_address\":\"127.0.0.1\"}").post("/v1/rules/try").then()
                .statusCode(200)
                .extract().jsonPath();
        assertThat(tried.getBoolean("allowed")).isFalse();
        assertThat(tried.getList("rules")).hasSize(1);
        assertThat(tried.getString("rules[0].quotas[1].unit")).isEqualTo("concurrent_requests");
        assertThat(tried.getString("rules[0].proxy_notes[0]")).startsWith("concurrency: ");
        held.close();
    }
}
