package dev.sluice.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

import org.junit.jupiter.api.Test;

class DecisionTest {

    private static final Instant NOW = Instant.ofEpochSecond(1_800_000_000);

    private static QuotaStatus available(String resource, long remaining) {
        return new QuotaStatus("user:a", resource, QuotaUnit.REQUESTS, 100, Duration.ofMinutes(1), remaining,
                Optional.of(NOW.plusSeconds(5)), false, Optional.empty());
    }

    private static QuotaStatus denied(String resource, Integer retrySeconds) {
        return new QuotaStatus("user:a", resource, QuotaUnit.REQUESTS, 100, Duration.ofMinutes(1), 0,
                Optional.of(NOW.plusSeconds(1)),
                true,
                Optional.ofNullable(retrySeconds).map(NOW::plusSeconds));
    }

    private static Decision decision(boolean allowed, QuotaStatus... quotas) {
        return new Decision(allowed, !allowed, DecisionMode.REDIS, NOW, List.of(quotas));
    }

    @Test
    void mostRestrictiveOfAllowedHasFewestRemaining() {
        assertThat(decision(true, available("a", 5), available("b", 2), available("c", 9)).mostRestrictive().orElseThrow()
                .resource()).isEqualTo("b");
    }

    @Test
    void mostRestrictiveOfDeniedHasLongestWait() {
        var decision = decision(false, available("a", 0), denied("b", 10), denied("c", 40), denied("d", 20));
        assertThat(decision.mostRestrictive().orElseThrow().resource()).isEqualTo("c");
        assertThat(decision.retryAfter()).contains(Duration.ofSeconds(40));
    }

    @Test
    void costThatNeverFitsHasNoRetry() {
        var decision = decision(false, denied("b", 10), denied("c", null));
        assertThat(decision.mostRestrictive().orElseThrow().resource()).isEqualTo("c");
        assertThat(decision.retryAfter()).isEmpty();
    }

    @Test
    void allowedHasNoRetry() {
        assertThat(decision(true, available("a", 1)).retryAfter()).isEmpty();
        assertThat(decision(true).mostRestrictive()).isEmpty();
    }

    @Test
    void dryRunAllowsAndReportsDenial() {
        var decision = decision(false, denied("a", 10)).asDryRun();
        assertThat(decision.allowed()).isTrue();
        assertThat(decision.denied()).isTrue();
    }

    @Test
    void identifiersAreEncodableAndOfBoundedLength() {
        assertThat(Identifiers.isValid("a")).isTrue();
        assertThat(Identifiers.isValid("\u0000\r\n{}:")).isTrue();
        assertThat(Identifiers.isValid("\uD83D\uDE00")).isTrue();
        assertThat(Identifiers.isValid("x".repeat(256))).isTrue();
        assertThat(Identifiers.isValid("x".repeat(257))).isFalse();
        assertThat(Identifiers.isValid("😀".repeat(256))).isTrue();
        assertThat(Identifiers.isValid("😀".repeat(256) + 'x')).isFalse();
        assertThat(Identifiers.isValid("")).isFalse();
        assertThat(Identifiers.isValid(null)).isFalse();
        assertThat(Identifiers.isValid("\uD83D")).isFalse();
        assertThat(Identifiers.isValid("\uDE00\uD83D")).isFalse();
        assertThat(Identifiers.isValid("a\uD83Db")).isFalse();
    }
}
