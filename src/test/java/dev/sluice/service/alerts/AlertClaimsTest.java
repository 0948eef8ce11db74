package dev.sluice.service.alerts;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
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
import io.vertx.core.Future;

/** Evaluation of observations that wait for room in the queue, while connections to Redis end and begin. */
class AlertClaimsTest {

    private static final Instant NOW = Instant.parse("2026-03-01T12:00:00Z");

    private final List<String> claimed = new ArrayList<>();
    private final AtomicInteger epoch = new AtomicInteger();
    private boolean full;
    private boolean down;
    private int calls;

    private final AlertQueue queue = new AlertQueue() {
        @Override
        public Future<List<ClaimResult>> claim(List<LimitAlert> alerts) {
            calls++;
            if (down) {
                return Future.failedFuture("down");
            }
            if (!full) {
                alerts.forEach(alert -> claimed.add(alert.claim().split(":")[4]));
            }
            return Future.succeededFuture(alerts.stream().map(alert -> full ? ClaimResult.FULL : ClaimResult.CLAIMED).toList());
        }

        @Override
        public Future<Lease> lease(int maximum) {
            throw new IllegalStateException("nothing is sent");
        }

        @Override
        public Future<RetryResult> retry(String id, long delayMillis) {
            throw new IllegalStateException("nothing is sent");
        }

        @Override
        public Future<Boolean> remove(String id) {
            throw new IllegalStateException("nothing is sent");
        }
    };
    private final AlertSettings settings = new AlertSettings(
            new AlertTarget(URI.create("https://hooks.example/"), List.of(50, 80, 95, 100)), null, new AlertUrls(false));
    private final AlertClaims claims = new AlertClaims(new AlertTargets(settings, null, System::nanoTime), queue, dropped -> {
    }, () -> {
    });
    private final AlertDetector detector = new AlertDetector(true, claims::submit, () -> 1, epoch::get);

    private void use(long percent, Instant at) {
        use("user:a", percent, at);
    }

    private void use(String identifier, long percent, Instant at) {
        detector.onDecision(null, new Decision(true, false, DecisionMode.REDIS, at, List.of(new QuotaStatus(identifier, "llm",
                QuotaUnit.NANODOLLARS, 100, Duration.ofDays(1), 100 - percent, Optional.empty(), false, Optional.empty()))), 0);
    }

    /** They are evaluated on an event loop. */
    @Test
    void numberOfObservationsThatAreEvaluatedAgainIsBounded() {
        down = true;
        for (int i = 0; i < 3 * AlertClaims.MAX_RETRIED; i++) {
            use("user:" + i, 60, NOW);
        }
        calls = 0;
        claims.retry();
        assertThat(calls).isEqualTo(AlertClaims.MAX_RETRIED);
        down = false;
        for (int i = 0; i < 3; i++) {
            claims.retry();
        }
        assertThat(claims.size()).isZero();
        assertThat(claimed).hasSize(3 * AlertClaims.MAX_RETRIED);
    }

    /** Less is used after a settlement; the observation that waits is then the higher one of another connection. */
    @ParameterizedTest
    @ValueSource(ints = {60, 92})
    void windowIsObservedAfterAReconnection(int afterwards) {
        full = true;
        use(90, NOW);
        epoch.incrementAndGet();
        use(afterwards, NOW.plusSeconds(2));
        full = false;
        claims.retry();
        for (int minute = 1; minute < 40; minute++) {
            use(100, NOW.plusSeconds(2 + 60 * minute));
        }
        assertThat(claimed).containsExactlyInAnyOrder("50", "80", "95", "100");
    }
}
