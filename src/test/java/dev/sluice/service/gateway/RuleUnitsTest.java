package dev.sluice.service.gateway;

import static dev.sluice.testing.HttpTestClient.header;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import dev.sluice.testing.JwtKeys;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.RichRulesProfile;
import dev.sluice.testing.RuleDoor;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/** Costs and counted answers: of the JAX-RS filter, and of requests that proxies describe. */
@QuarkusTest
@TestProfile(RichRulesProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(JwtKeys.class)
class RuleUnitsTest extends RuleUnitsTestBase {

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "DIRECT")
    void countedAnswersOfOthersAreOnlyAskedFor(RuleDoor door) {
        for (int i = 0; i < 5; i++) {
            var response = door.get(http, "/answers/401");
            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(header(response, "X-RateLimit-Remaining")).isEqualTo("3");
        }
        for (int i = 0; i < 3; i++) {
            get(401, "/answers/401");
        }
        assertUnits(CLIENT, Map.of("api:/answers", 3L));
        assertThat(door.get(http, "/answers/401").statusCode()).isEqualTo(429);
        assertThat(header(door.get(http, "/answers/401"), "Retry-After")).isNotNull();
        assertUnits(CLIENT, Map.of("api:/answers", 3L));
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "DIRECT")
    void ruleThatAsksHoldsBesideOnesThatTake(RuleDoor door) {
        assertThat(door.get(http, "/capped/200").statusCode()).isEqualTo(200);
        assertUnits(CLIENT, Map.of());
        get(404, "/capped/404");
        get(404, "/capped/404");
        assertUnits("ip=127.0.0.1", Map.of("rule:failures", 2L));
        assertThat(door.get(http, "/capped/200").statusCode()).isEqualTo(429);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "DIRECT")
    void costsOfRequestsAreTaken(RuleDoor door) {
        door.get(http, "/costly", "X-Cost", "7");
        door.get(http, "/billed/200?cost=9");
        door.get(http, "/priced?n=3");
        door.get(http, "/fixed");
        assertUnits(CLIENT, Map.of("api:/costly", 7L, "api:/billed", 2L, "api:/priced", 3L, "api:/fixed", 4L));
        assertThat(door.get(http, "/costly", "X-Cost", "14").statusCode()).isEqualTo(429);
        assertThat(door.get(http, "/costly", "X-Cost", "21").statusCode()).isEqualTo(400);
        assertThat(door.get(http, "/priced?n=x").statusCode()).isEqualTo(400);
    }

    @Test
    void exceptionIsAnAnswer() {
        get(500, "/answers/0");
        assertUnits(CLIENT, Map.of("api:/answers", 1L));
    }

    @Test
    void checksOfAProgramTakeWhatTheySay() {
        get(401, "/answers/401");
        var body = "{\"identifier\":\"" + CLIENT + "\",\"resource\":\"api:/answers\",\"tier\":\"free\"";
        var response = http.post("/v1/check", body + "}", "Content-Type", "application/json", "Authorization",
                "Bearer the-admin-token");
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.body()).contains("\"remaining\":1").doesNotContain("reservation");
        get(401, "/answers/401");
        assertUnits(CLIENT, Map.of("api:/answers", 3L));
        assertThat(http.post("/v1/check", body + ",\"cost\":4}", "Content-Type", "application/json", "Authorization",
                "Bearer the-admin-token").body()).contains("RATE_4002");
    }
}
