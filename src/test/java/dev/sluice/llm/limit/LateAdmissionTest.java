package dev.sluice.llm.limit;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

import jakarta.inject.Inject;

import org.junit.jupiter.api.Test;

import dev.sluice.api.Decision;
import dev.sluice.api.DecisionMode;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.engine.CallbackRateLimiter;
import dev.sluice.llm.config.LlmConfig;
import dev.sluice.llm.ledger.Ledger;
import dev.sluice.llm.policy.CurrentLlmPolicy;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.settlement.FakeRateLimiter;
import dev.sluice.settlement.SettlementQueue;
import dev.sluice.testing.RedisTestResource;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.UniEmitter;

/** Tests calls whose caller does not wait for the decision. */
@QuarkusTest
@WithTestResource(RedisTestResource.class)
class LateAdmissionTest {

    private static final LlmCallEstimate ESTIMATE = new LlmCallEstimate(Provider.OPENAI, "user:late", null, "gpt-4o", 10, 10);

    @Inject
    CurrentLlmPolicy policy;
    @Inject
    LlmConfig settings;
    @Inject
    Ledger ledger;
    @Inject
    LlmMetrics meters;
    @Inject
    DetachedReservations detached;

    private final AtomicReference<UniEmitter<? super Decision>> pendingDecision = new AtomicReference<>();
    private final List<String> settled = new ArrayList<>();

    private LlmLimiter limiter() {
        var limiter = new FakeRateLimiter() {
            @Override
            public Uni<Decision> check(RateLimitRequest request) {
                return Uni.createFrom().emitter(emitter -> pendingDecision.set(emitter));
            }

            @Override
            public Uni<Void> settle(String identifier, String reservation, Map<String, Long> used) {
                settled.add(reservation);
                return Uni.createFrom().voidItem();
            }
        };
        var settlements = new SettlementQueue(limiter, () -> true, null, System::nanoTime, () -> 1, new SimpleMeterRegistry());
        return new LlmLimiter(CallbackRateLimiter.of(limiter), policy, settings, ledger, meters, settlements, detached);
    }

    private void decide(boolean allowed) {
        pendingDecision.get().complete(
                new Decision(allowed, !allowed, DecisionMode.REDIS, Instant.EPOCH, List.of(),
                        allowed ? Optional.of("r-1") : Optional.empty()));
    }

    @Test
    void lateAdmissionReleasesReservation() {
        limiter().admit(ESTIMATE).subscribe().with(call -> {
        }).cancel();
        decide(true);
        assertThat(settled).containsExactly("r-1");
    }

    @Test
    void lateDenialReleasesNothing() {
        limiter().admit(ESTIMATE).subscribe().with(call -> {
        }).cancel();
        decide(false);
        assertThat(settled).isEmpty();
    }

    @Test
    void awaitedCallKeepsReservation() {
        var admitted = limiter().admit(ESTIMATE).subscribeAsCompletionStage();
        decide(true);
        assertThat(admitted).isCompleted();
        assertThat(settled).isEmpty();
    }
}
