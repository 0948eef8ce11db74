package dev.sluice.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.sluice.api.Decision;
import dev.sluice.api.DecisionMode;
import dev.sluice.api.QuotaStatus;
import dev.sluice.api.QuotaUnit;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

class ErrorResponseTest {

    private static final Instant NOW = Instant.ofEpochSecond(1_700_000_000);

    private static ErrorResponse denial(QuotaUnit unit, long limit) {
        return ErrorResponse
                .rateLimitExceeded(new Decision(false, true, DecisionMode.REDIS, NOW,
                        List.of(new QuotaStatus("user:a", "api:/a", unit,
                                limit, Duration.ofSeconds(60), 0, Optional.of(NOW.plusSeconds(20)), true,
                                Optional.of(NOW.plusMillis(7_001))))));
    }

    @Test
    void denialHasSameMembersInBothForms() {
        var error = denial(QuotaUnit.REQUESTS, 10);

        var json = new JsonObject(error.body(ErrorResponse.JSON)).getJsonObject("error");
        var problem = new JsonObject(error.body(ErrorResponse.PROBLEM_JSON));

        var details = new JsonObject().put("limit", 10).put("window_seconds", 60).put("reset_at", 1_700_000_020)
                .put("retry_after", 8);
        assertThat(json).isEqualTo(new JsonObject().put("code", "RATE_5001").put("message", "Rate limit exceeded")
                .put("details", details));
        assertThat(problem).isEqualTo(new JsonObject().put("title", "Rate limit exceeded").put("status", 429)
                .put("code", "RATE_5001").put("type", "https://iana.org/assignments/http-problem-types#quota-exceeded")
                .put("violated-policies", new JsonArray().add("api:/a")).mergeIn(details));
    }

    @Test
    void denialOfALevelNamesIt() {
        var team = new QuotaStatus("team:\"a\"", "api", QuotaUnit.REQUESTS, 10, Duration.ofSeconds(60), 0,
                Optional.of(NOW.plusSeconds(20)), true, Optional.of(NOW.plusSeconds(7)));
        var error = ErrorResponse.rateLimitExceeded(new Decision(false, true, DecisionMode.REDIS, NOW, List.of(team)));

        var details = new JsonObject(error.body(ErrorResponse.JSON)).getJsonObject("error").getJsonObject("details");
        assertThat(details.getString("identifier")).isEqualTo("team:\"a\"");
        assertThat(details.getString("resource")).isEqualTo("api");
        assertThat(details).isEqualTo(error.details());
    }

    @Test
    void encodedDenialEqualsItsDetails() {
        for (var unit : QuotaUnit.values()) {
            var error = denial(unit, 1_500_000_000);

            var encoded = new JsonObject(error.body(ErrorResponse.JSON)).getJsonObject("error").getJsonObject("details");

            assertThat(encoded.encode()).as(unit.name()).isEqualTo(error.details().encode());
        }
    }

    @Test
    void errorWithoutDetailsOmitsTheMember() {
        assertThat(ErrorResponse.notFound().body(ErrorResponse.JSON))
                .isEqualTo("{\"error\":{\"code\":\"RATE_4041\",\"message\":\"No such path\"}}");
        assertThat(new JsonObject(ErrorResponse.notFound().body(ErrorResponse.PROBLEM_JSON)))
                .isEqualTo(new JsonObject().put("type", "about:blank").put("title", "No such path").put("status", 404)
                        .put("code", "RATE_4041"));
    }

    @ParameterizedTest
    @CsvSource({"1000,0.000001", "1500000000,1.5", "1000000000,1", "1000000000000,1000", "0,0"})
    void moneyIsInDollars(long nanodollars, String dollars) {
        assertThat(QuotaUnit.NANODOLLARS.jsonAmount(nanodollars)).hasToString(dollars);
        assertThat(QuotaUnit.TOKENS.jsonAmount(nanodollars)).hasToString(Long.toString(nanodollars));
    }

    @ParameterizedTest
    @CsvSource({"0,1", "1,1", "999999999,1", "1000000000,1", "1000000001,2", "60000000000,60"})
    void durationIsRoundedUpToSeconds(long nanos, long seconds) {
        assertThat(RateLimitHeaders.ceilSeconds(Duration.ofNanos(nanos))).isEqualTo(seconds);
    }
}
