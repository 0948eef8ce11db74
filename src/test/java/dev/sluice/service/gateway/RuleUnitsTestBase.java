package dev.sluice.service.gateway;

import static dev.sluice.testing.HttpTestClient.error;
import static dev.sluice.testing.HttpTestClient.header;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.URLEncoder;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.sluice.engine.WindowReset;
import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.Polling;

/** Units that requests take by rules with {@code cost} and {@code count}, where the answer is known. */
abstract class RuleUnitsTestBase extends HttpTestBase {

    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    protected static final String CLIENT = "ip:127.0.0.1";

    /** Waits until the windows of an identifier have these units: they are settled while the client receives the answer. */
    protected void assertUnits(String identifier, Map<String, Long> units) {
        Polling.await().atMost(TIMEOUT)
                .untilAsserted(() -> assertThat(admin.limits(identifier).await().indefinitely()).isEqualTo(units));
    }

    protected HttpResponse<String> get(int status, String path, String... headers) {
        var response = http.get(path, headers);
        assertThat(response.statusCode()).as(path).isEqualTo(status);
        return response;
    }

    @Test
    void onlyCountedAnswersTakeUnits() {
        for (int i = 0; i < 5; i++) {
            assertThat(header(get(200, "/answers/200"), "X-RateLimit-Remaining")).as("before the request").isEqualTo("3");
            get(404, "/answers/404");
            assertUnits(CLIENT, Map.of());
        }
        for (int left = 3; left > 0; left--) {
            var response = get(left == 2 ? 503 : 401, left == 2 ? "/answers/503" : "/answers/401");
            assertThat(header(response, "X-RateLimit-Remaining")).isEqualTo(Integer.toString(left));
            assertUnits(CLIENT, Map.of("api:/answers", 4L - left));
        }
        var denied = get(429, "/answers/200");
        assertThat(header(denied, "X-RateLimit-Remaining")).isEqualTo("0");
        assertThat(header(denied, "Retry-After")).isNotNull();
        assertUnits(CLIENT, Map.of("api:/answers", 3L));
    }

    @Test
    void answerNamesTheCost() {
        var first = get(200, "/billed/200?cost=5");
        assertThat(header(first, "X-Cost")).as("taken off").isNull();
        assertThat(header(first, "X-RateLimit-Remaining")).as("with the default taken").isEqualTo("8");
        assertUnits(CLIENT, Map.of("api:/billed", 5L));
        get(200, "/billed/200?cost=0");
        assertUnits(CLIENT, Map.of("api:/billed", 5L));
        get(200, "/billed/200");
        assertUnits(CLIENT, Map.of("api:/billed", 7L));
        get(500, "/billed/500?cost=x");
        assertUnits(CLIENT, Map.of("api:/billed", 9L));
        get(429, "/billed/200");

        WindowReset.resetAll(admin);
        get(200, "/billed/200?cost=7&cost=99999999999999&cost=2");
        assertUnits(CLIENT, Map.of("api:/billed", 50L));
        get(429, "/billed/200");
    }

    @Test
    void costAndCountHoldTogetherOverSeveralRules() {
        assertThat(header(get(200, "/capped/200?cost=3"), "X-Cost")).as("kept").isEqualTo("3");
        assertUnits(CLIENT, Map.of("api:/capped", 3L));
        assertUnits("ip=127.0.0.1", Map.of());
        get(404, "/capped/404?cost=3");
        get(400, "/capped/400");
        assertUnits("ip=127.0.0.1", Map.of("rule:failures", 2L));
        assertUnits(CLIENT, Map.of("api:/capped", 3L));
        get(429, "/capped/200");
        assertUnits(CLIENT, Map.of("api:/capped", 3L));
    }

    @Test
    void costThatIsNotAboveTheLimitIsTakenAtOnce() {
        http.get("/fixed");
        http.get("/fixed");
        get(429, "/fixed");
        assertUnits(CLIENT, Map.of("api:/fixed", 8L));
    }

    @ParameterizedTest
    @CsvSource({"0, 1", "1, 1", "17, 17", "' 7 ', 7", "007, 7", "'', 3", "'1, 9', 9", "18 , 18"})
    void headerOfTheRequestNamesTheCost(String cost, long units) {
        http.get("/costly", "X-Cost", cost);
        assertUnits(CLIENT, Map.of("api:/costly", units));
    }

    @Test
    void requestCannotHideItsCost() {
        http.get("/costly");
        assertUnits(CLIENT, Map.of("api:/costly", 3L));
        http.get("/costly", "X-Cost", "2", "x-cost", "5", "X_Cost", "1");
        assertUnits(CLIENT, Map.of("api:/costly", 8L));
        http.get("/costly", "X_Cost", "1");
        assertUnits(CLIENT, Map.of("api:/costly", 11L));
        http.get("/costly", "X_Cost", "4");
        assertUnits(CLIENT, Map.of("api:/costly", 15L));
        get(429, "/costly", "X-Cost", "6");
        assertUnits(CLIENT, Map.of("api:/costly", 15L));
    }

    @Test
    void queryNamesTheCostUpToTheMaximum() {
        http.get("/priced?n=1&n=%33");
        assertUnits(CLIENT, Map.of("api:/priced", 3L));
        http.get("/priced?n=99999999999999999999999999");
        assertUnits(CLIENT, Map.of("api:/priced", 7L));
        http.get("/priced");
        assertUnits(CLIENT, Map.of("api:/priced", 9L));
    }

    @ParameterizedTest
    @CsvSource({"-1", "1.5", "1e1", "0x10", "5abc", "'1 0'", "'1,x'", "٣"})
    void costThatIsNoNumberIsAnError(String cost) {
        var response = get(400, "/priced?n=" + URLEncoder.encode(cost, StandardCharsets.UTF_8));
        assertThat(error(response).getString("code")).isEqualTo("RATE_4001");
        assertThat(error(response).getString("message")).isEqualTo("n must be a whole number from 0 to 1000000000");
        assertThat(error(response).getJsonObject("details").getString("field")).isEqualTo("n");
        assertUnits(CLIENT, Map.of());
    }

    @Test
    void costAboveTheLimitIsAnError() {
        var response = get(400, "/costly", "X-Cost", "21");
        assertThat(error(response).getString("code")).isEqualTo("RATE_4002");
        assertThat(error(response).getJsonObject("details").getString("field")).isEqualTo("x-cost");
        assertThat(header(response, "Retry-After")).isNull();
        assertThat(get(400, "/costly", "X-Cost", "99999999999").body()).contains("RATE_4002");
        assertUnits(CLIENT, Map.of());
    }

    @Test
    void preflightTakesOneUnit() {
        http.send("OPTIONS", "/fixed", null, "Origin", "https://a.example", "Access-Control-Request-Method", "GET");
        http.send("OPTIONS", "/answers/200", null, "Origin", "https://a.example", "Access-Control-Request-Method", "GET");
        Polling.await().untilAsserted(
                () -> assertThat(admin.limits(CLIENT).await().indefinitely()).doesNotContainKey("api:/answers"));
    }
}
