package dev.sluice.service.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.sluice.api.Decision;
import dev.sluice.api.DecisionMode;
import dev.sluice.api.Quota;
import dev.sluice.api.QuotaStatus;
import dev.sluice.api.QuotaUnit;
import dev.sluice.api.Rate;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.WindowUsage;

/** JSON of the public results, by a plain mapper: the fields and values are those of the HTTP API. */
class ResultJsonTest {

    private static final Instant NOW = Instant.ofEpochSecond(1_800_000_000, 500_000_000);
    private static final Duration MINUTE = Duration.ofMinutes(1);

    private final ObjectMapper mapper = new ObjectMapper();

    private static QuotaStatus quota(QuotaUnit unit, boolean denied) {
        return new QuotaStatus("user:a", "r", unit, 5_000_000_000L, MINUTE, denied ? 0 : 1_500_000_000L,
                Optional.of(NOW.plusMillis(1)),
                denied, denied ? Optional.of(NOW.plusMillis(1200)) : Optional.empty());
    }

    private static Decision decision(QuotaUnit unit, boolean denied) {
        return new Decision(!denied, denied, DecisionMode.REDIS, NOW, List.of(quota(unit, denied)));
    }

    static Stream<Decision> decisions() {
        return Stream.of(decision(QuotaUnit.REQUESTS, false), decision(QuotaUnit.REQUESTS, true),
                decision(QuotaUnit.TOKENS, true), decision(QuotaUnit.NANODOLLARS, false),
                decision(QuotaUnit.NANODOLLARS, false).withReservation("r-1"), decision(QuotaUnit.REQUESTS, true).asDryRun(),
                Decision.blocked(RateLimitRequest.of("a", "r", Rate.BLOCKED, 1), DecisionMode.MEMORY, NOW),
                Decision.uncounted(RateLimitRequest.of("a", "r", Rate.UNLIMITED, 1), DecisionMode.MEMORY, NOW));
    }

    /** A decision has the fields of a check, in the same order, and then its own. */
    @ParameterizedTest
    @MethodSource("decisions")
    void decisionHasTheFieldsOfACheck(Decision decision) throws JsonProcessingException {
        var checked = DecisionJson.of(decision, decision.reservation().orElse(null));

        var json = (ObjectNode) mapper.readTree(mapper.writeValueAsString(decision));
        assertThat(json.remove("mode").textValue()).isEqualTo(decision.mode().value());
        assertThat(json.remove("quotas")).hasSize(decision.quotas().size());

        assertThat(json).hasToString(checked);
    }

    @Test
    void quotasOfADecisionAreComplete() throws JsonProcessingException {
        assertThat(mapper.writeValueAsString(quota(QuotaUnit.NANODOLLARS, true)))
                .isEqualTo("{\"identifier\":\"user:a\",\"resource\":\"r\",\"limit\":5,"
                        + "\"remaining\":0,\"window_seconds\":60,\"reset_at\":1800000001,\"unit\":\"usd\",\"denied\":true,"
                        + "\"retry_at\":1800000002}");
    }

    @Test
    void usageOfAWindowIsThatOfTheHttpApi() throws JsonProcessingException {
        var usage = new WindowUsage("user:alice", "r", 3, MINUTE, NOW);

        assertThat(mapper.writeValueAsString(usage)).isEqualTo(mapper.writeValueAsString(WindowUsageResponse.of(usage, null)));
    }

    @Test
    void ratesAndQuotas() throws JsonProcessingException {
        assertThat(mapper.writeValueAsString(Map.of("rate", Rate.parse("10/second;100/minute"))))
                .isEqualTo("{\"rate\":\"10/second;100/minute\"}");
        assertThat(mapper.writeValueAsString(Rate.BLOCKED)).isEqualTo("\"blocked\"");
        assertThat(mapper.writeValueAsString(new Quota(10, MINUTE))).isEqualTo("{\"limit\":10,\"window_seconds\":60}");
    }

    /** The names are part of the form: an application's mapper does not rename them. */
    @Test
    void namesDoNotDependOnTheMapper() throws JsonProcessingException {
        record Holder(WindowUsage windowUsage) {
        }
        var renaming = JsonMapper.builder().propertyNamingStrategy(PropertyNamingStrategies.UPPER_CAMEL_CASE).build();

        JsonNode json = renaming
                .readTree(renaming.writeValueAsString(new Holder(new WindowUsage("user:alice", "r", 3, MINUTE, NOW))));

        assertThat(json.path("WindowUsage").path("window_end").longValue()).isEqualTo(NOW.getEpochSecond());
    }
}
