package dev.sluice.service.alerts;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.api.Decision;
import dev.sluice.api.DecisionMode;
import dev.sluice.api.QuotaStatus;
import dev.sluice.api.QuotaUnit;

/** Selection of the decisions that are submitted for an evaluation. */
class AlertDetectorTest {

    private static final Instant NOW = Instant.parse("2026-03-01T12:00:00Z");

    private final List<AlertObservation> submitted = new ArrayList<>();
    private final AtomicInteger epoch = new AtomicInteger();
    private final AlertDetector detector = new AlertDetector(true, submitted::add, () -> 2, epoch::get);

    private static QuotaStatus quota(String identifier, QuotaUnit unit, long limit, Duration window, long remaining) {
        return new QuotaStatus(identifier, "api", unit, limit, window, remaining, Optional.empty(), false, Optional.empty());
    }

    private void decide(DecisionMode mode, Instant at, QuotaStatus... quotas) {
        detector.onDecision(AlertInstance.request(quotas[0]), new Decision(true, false, mode, at, List.of(quotas)), 1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"ip:127.0.0.1", "rls:edge:user", "anonymous", "keys", "teams:a"})
    void otherIdentifiersAreIgnored(String identifier) {
        decide(DecisionMode.REDIS, NOW, quota(identifier, QuotaUnit.REQUESTS, 100, Duration.ofDays(1), 0));
        assertThat(submitted).isEmpty();
    }

    @Test
    void shortWindowsAndSmallUseAreIgnored() {
        decide(DecisionMode.REDIS, NOW, quota("user:a", QuotaUnit.REQUESTS, 100, Duration.ofHours(23), 0),
                quota("user:b", QuotaUnit.TOKENS, 100, Duration.ofHours(1), 0),
                quota("user:c", QuotaUnit.REQUESTS, 1000, Duration.ofDays(1), 991));
        decide(DecisionMode.REDIS, NOW, new QuotaStatus("user:d", "api", QuotaUnit.REQUESTS, 0, Duration.ZERO, 0,
                Optional.empty(), true, Optional.empty()));
        decide(DecisionMode.OFF, NOW, quota("user:e", QuotaUnit.REQUESTS, 100, Duration.ofDays(1), 0));
        assertThat(submitted).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"key:k1", "user:a", "team:x", "org:acme", "team:x/user:a"})
    void budgetsAndLongWindowsOfIdentitiesAreSubmitted(String identifier) {
        decide(DecisionMode.REDIS, NOW, quota(identifier, QuotaUnit.REQUESTS, 100, Duration.ofDays(1), 90),
                quota(identifier, QuotaUnit.NANODOLLARS, 100, Duration.ofMinutes(1), 10));
        assertThat(submitted).extracting(AlertObservation::used).containsExactly(10L, 90L);
    }

    @Test
    void windowIsSubmittedOnceUntilItIsEvaluatedAndThenAtTheNextThreshold() {
        var target = new AlertTarget(AlertInstance.URL, List.of(50, 80));
        decide(DecisionMode.REDIS, NOW, AlertInstance.daily("user:a", 100));
        decide(DecisionMode.REDIS, NOW, AlertInstance.daily("user:a", 200));
        assertThat(submitted).hasSize(1);
        var first = submitted.get(0);
        first.progress().complete(first.period(), target, AlertPeriod.micros(NOW.plusSeconds(60)), 100, 500);
        decide(DecisionMode.REDIS, NOW, AlertInstance.daily("user:a", 499));
        assertThat(submitted).hasSize(1);
        decide(DecisionMode.REDIS, NOW, AlertInstance.daily("user:a", 500));
        assertThat(submitted).hasSize(2);
        first.progress().complete(first.period(), target, AlertPeriod.micros(NOW.plusSeconds(60)), 500, 800);
        decide(DecisionMode.REDIS, NOW.plusSeconds(59), AlertInstance.daily("user:a", 600));
        assertThat(submitted).hasSize(2);
        decide(DecisionMode.REDIS, NOW.plusSeconds(60), AlertInstance.daily("user:a", 600));
        assertThat(submitted).hasSize(3);
    }

    @Test
    void newPeriodIsSubmitted() {
        decide(DecisionMode.REDIS, NOW, AlertInstance.daily("user:a", 900));
        var first = submitted.get(0);
        assertThat(first.period())
                .isEqualTo(new AlertPeriod(Instant.parse("2026-03-01T00:00:00Z"), Instant.parse("2026-03-02T00:00:00Z")));
        first.progress().complete(first.period(), new AlertTarget(AlertInstance.URL, List.of(50)), Long.MAX_VALUE, 900,
                Long.MAX_VALUE);
        decide(DecisionMode.REDIS, Instant.parse("2026-03-01T23:59:59.999999Z"), AlertInstance.daily("user:a", 900));
        assertThat(submitted).hasSize(1);
        decide(DecisionMode.REDIS, Instant.parse("2026-03-02T00:00:00Z"), AlertInstance.daily("user:a", 900));
        assertThat(submitted).hasSize(2);
    }

    /** A Redis that is connected again may have lost claims. */
    @Test
    void everythingIsSubmittedAgainAfterAReconnection() {
        decide(DecisionMode.REDIS, NOW, AlertInstance.daily("user:a", 900));
        var first = submitted.get(0);
        first.progress().complete(first.period(), new AlertTarget(AlertInstance.URL, List.of(50)), Long.MAX_VALUE, 900,
                Long.MAX_VALUE);
        epoch.incrementAndGet();
        decide(DecisionMode.REDIS, NOW, AlertInstance.daily("user:a", 900));
        decide(DecisionMode.REDIS, NOW, AlertInstance.daily("user:a", 900));
        assertThat(submitted).hasSize(2);
        assertThat(submitted.get(1).progress().claimed(first.period(), new AlertTarget(AlertInstance.URL, List.of(50))))
                .isZero();
    }

    /** The remaining permits are then those of this instance's share, which is half of the limit. */
    @Test
    void useOfOthersIsNotAssumedDuringAnOutage() {
        decide(DecisionMode.LOCAL, NOW, AlertInstance.daily("user:a", 500));
        assertThat(submitted).isEmpty();
        decide(DecisionMode.LOCAL, NOW, AlertInstance.daily("user:a", 700));
        assertThat(submitted).extracting(AlertObservation::used).containsExactly(200L);
    }

    @Test
    void inactiveDetectorIgnoresEverything() {
        new AlertDetector(false, submitted::add, () -> 1, () -> 0).onDecision(
                AlertInstance.request(AlertInstance.daily("user:a", 1000)),
                new Decision(true, false, DecisionMode.REDIS, NOW, List.of(AlertInstance.daily("user:a", 1000))), 1);
        assertThat(submitted).isEmpty();
    }
}
