package dev.sluice.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;

import org.junit.jupiter.api.Test;

import dev.sluice.api.QuotaUnit;
import dev.sluice.api.Rate;
import dev.sluice.testing.Fuzzer;

/** Every path has interpretations, and every rate is parsed or rejected with a message that does not repeat it. */
class RequestPathFuzzTest {

    private static final List<String> PATHS = List.of("/api/v1/campaigns/42", "/a/./b/../c//d/", "/a%2fb;x=1/%2e%2e/c",
            "/caf\u00c3\u00a9", "/users/{id}", "*", "");
    private static final List<String> RATES = List.of("10/minute", "10/second;1000/hour;5/30s", "0.50/hour", "1000000000/31d",
            "unlimited", "blocked");

    @Test
    void malformedPathsHaveInterpretations() {
        Fuzzer.run(5, random -> {
            var path = Fuzzer.mutate(random, Fuzzer.pick(random, PATHS));
            assertThat(RequestPath.interpretations(path)).isNotEmpty().hasSizeLessThanOrEqualTo(8);
            assertThat(RequestPath.toAscii(path)).matches("\\p{ASCII}*");
        });
    }

    @Test
    void malformedRatesAreRejectedWithoutEcho() {
        Fuzzer.run(5, random -> {
            var text = Fuzzer.mutate(random, Fuzzer.pick(random, RATES));
            for (var unit : QuotaUnit.values()) {
                try {
                    var rate = Rate.parse(text, unit);
                    assertThat(Rate.parse(rate.toString(), unit)).isEqualTo(rate);
                } catch (IllegalArgumentException e) {
                    assertThat(e.getMessage()).doesNotContain(Fuzzer.MARKER);
                }
            }
        });
    }
}
