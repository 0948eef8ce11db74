package dev.sluice.directory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.api.QuotaUnit;
import dev.sluice.api.Rate;
import dev.sluice.identity.chain.LlmRates;
import dev.sluice.identity.chain.OwnLimits;
import io.vertx.core.json.JsonObject;

/** Limits of documents, and the pointers to what is not valid in them. */
class LimitsParserTest {

    @Test
    void limitsAreParsed() throws InvalidLimitsException {
        var json = new JsonObject("""
                {"api": "1000/hour", "llm": {"requests": "60/minute", "tokens": "100000/minute", "budget": "50/day",
                                              "concurrency": 3},
                 "endpoints": {"/reports": "5/minute", "POST /reports": "1/minute"},
                 "models": {"gpt-4o": {"requests": "10/minute"}, "none": {}}}""");

        assertThat(LimitsParser.parse(json)).isEqualTo(new OwnLimits(Rate.parse("1000/hour"),
                new LlmRates(Rate.parse("60/minute"), Rate.parse("100000/minute", QuotaUnit.TOKENS),
                        Rate.parse("50/day", QuotaUnit.NANODOLLARS), Rate.concurrency(3)),
                Map.of("/reports", Rate.parse("5/minute"), "POST /reports", Rate.parse("1/minute")),
                Map.of("gpt-4o", new LlmRates(Rate.parse("10/minute"), null, null))));
        assertThat(LimitsParser.parse(null)).isEqualTo(OwnLimits.NONE);
        assertThat(LimitsParser.parse(new JsonObject("{\"api\":null,\"llm\":null}"))).isEqualTo(OwnLimits.NONE);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"{\"apis\":\"1/s\"}|/apis", "{\"api\":5}|/api", "{\"api\":\"often\"}|/api",
            "{\"llm\":\"1/s\"}|/llm", "{\"llm\":{\"tokens\":\"x\"}}|/llm/tokens", "{\"llm\":{\"call\":\"1/s\"}}|/llm/call",
            "{\"llm\":{\"concurrency\":\"3\"}}|/llm/concurrency", "{\"llm\":{\"concurrency\":0}}|/llm/concurrency",
            "{\"llm\":{\"concurrency\":1.5}}|/llm/concurrency", "{\"endpoints\":[]}|/endpoints",
            "{\"endpoints\":{\"reports\":\"1/s\"}}|/endpoints/reports",
            "{\"endpoints\":{\"/a~b\":\"x\"}}|/endpoints/~1a~0b", "{\"endpoints\":{\"get /a\":\"1/s\"}}|/endpoints/get ~1a",
            "{\"models\":{\"m\":\"1/s\"}}|/models/m", "{\"models\":{\"m\":{\"budget\":\"x\"}}}|/models/m/budget",
            "{\"models\":{\"\":{}}}|/models/"})
    void firstProblemIsNamed(String json, String pointer) {
        var problem = catchThrowableOfType(InvalidLimitsException.class, () -> LimitsParser.parse(new JsonObject(json)));

        assertThat(problem.pointer()).isEqualTo(pointer);
        assertThat(problem).message().isNotBlank();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a/b", " a", "a ", ".", "..", "a\tb", "\u00a0", "\u200b", "\ud800", "\u2028"})
    void invalidNames(String name) {
        assertThat(IdentityNames.isValid(name)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "Größe", "a.b@example.com", "🔑", "a:b|c", "a b"})
    void validNames(String name) {
        assertThat(IdentityNames.isValid(name)).isTrue();
        assertThat(IdentityNames.isValid("🔑".repeat(128))).isTrue();
        assertThat(IdentityNames.isValid("🔑".repeat(129))).isFalse();
    }
}
