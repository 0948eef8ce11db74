package dev.sluice.metrics;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;

import dev.sluice.api.Decision;
import dev.sluice.api.DecisionMode;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.config.RulesFile;
import dev.sluice.config.RulesFileStatus;
import dev.sluice.engine.ChainDecisionListener;
import dev.sluice.engine.InFlightRequests;
import dev.sluice.engine.StoreStatus;
import dev.sluice.identity.chain.IdentityChain;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.quarkus.runtime.StartupEvent;

/**
 * Counts and times decisions. No tag contains a user, an address or a raw path: resources are names of rules, and tiers are
 * configured ones.
 *
 * @see TeamTags
 */
@Singleton
class DecisionMetrics implements ChainDecisionListener {

    static final String DECISIONS = "rate_limit_decisions";
    static final String CHECK = "rate_limit_check";
    static final String STORE_AVAILABLE = "rate_limit_store_available";
    static final String INSTANCES = "rate_limit_instances";
    static final String MERGED_IDENTIFIERS = "rate_limit_merged";
    static final String DENIED_FROM_CACHE = "rate_limit_remembered_refusals";
    static final String REPAIRED_KEYS = "rate_limit_repaired_keys";
    static final String IN_FLIGHT = "rate_limit_in_flight";
    static final String FILE_VALID = "rate_limit_file_valid";

    private static final String NO_TIER = "none";
    private static final Duration[] BUCKETS = {Duration.ofNanos(100_000), Duration.ofNanos(250_000), Duration.ofNanos(500_000),
            Duration.ofMillis(1), Duration.ofNanos(2_500_000), Duration.ofMillis(5), Duration.ofMillis(10),
            Duration.ofMillis(25), Duration.ofMillis(50), Duration.ofMillis(100), Duration.ofMillis(250),
            Duration.ofSeconds(1)};

    private record CounterKey(String resource, String tier, TeamTags.Group group) {
    }

    /** Counters of one rule and tier, by outcome and store; registered together, so that each of them starts at zero. */
    private record Counters(Counter[] byOutcomeAndStore) {
    }

    private enum Outcome {
        allowed, denied, error
    }

    private enum Store {
        redis, local
    }

    private final MeterRegistry registry;
    private final TeamTags teamTags;
    private final Map<CounterKey, Counters> counters = new ConcurrentHashMap<>();
    private final Timer[] timers = new Timer[Store.values().length];

    DecisionMetrics(MeterRegistry registry, TeamTags teamTags) {
        this.registry = registry;
        this.teamTags = teamTags;
        for (var store : Store.values()) {
            timers[store.ordinal()] = Timer.builder(CHECK).description("Duration of a decision")
                    .serviceLevelObjectives(BUCKETS).tag("store", store.name()).register(registry);
        }
    }

    void registerGauges(@Observes StartupEvent started, StoreStatus status, RulesFile file,
            InFlightRequests inFlight) {
        inFlight.onLabel((label, count) -> Gauge.builder(IN_FLIGHT, count::getAsLong).strongReference(true)
                .description("Requests of this instance that hold slots of a limit of requests in flight")
                .tag("resource", label).register(registry));
        Gauge.builder(STORE_AVAILABLE, () -> status.mode().isOutage() ? 0 : 1).strongReference(true)
                .description("1: the configured store is in use; 0: Redis is unavailable").register(registry);
        Gauge.builder(INSTANCES, status, StoreStatus::instances).strongReference(true)
                .description("Instances that share the limits, as last seen by this one").register(registry);
        FunctionCounter.builder(DENIED_FROM_CACHE, status, StoreStatus::deniedFromCache)
                .description("Denials from the negative cache, without a call to Redis").register(registry);
        FunctionCounter.builder(REPAIRED_KEYS, status, StoreStatus::repairedKeys)
                .description("Redis keys of Sluice that contained foreign values and were deleted").register(registry);
        FunctionCounter.builder(MERGED_IDENTIFIERS, status, StoreStatus::mergedIdentifiers)
                .description("Identifiers whose windows were merged into Redis after an outage or a loss of data")
                .register(registry);
        Gauge.builder(FILE_VALID, () -> file.status().map(RulesFileStatus::valid).orElse(true) ? 1 : 0).strongReference(true)
                .description(
                        "1: RATE_LIMIT_FILE is in force or not set; 0: it is invalid and its last valid content is in force")
                .register(registry);
    }

    @Override
    public void onDecision(RateLimitRequest request, IdentityChain chain, Decision decision, long nanos) {
        record(request, chain, decision.denied() ? Outcome.denied : Outcome.allowed, decision.mode(), nanos);
    }

    @Override
    public void onFailure(RateLimitRequest request, IdentityChain chain, DecisionMode mode, long nanos) {
        record(request, chain, Outcome.error, mode, nanos);
    }

    private void record(RateLimitRequest request, IdentityChain chain, Outcome outcome, DecisionMode mode, long nanos) {
        var store = mode == DecisionMode.REDIS ? Store.redis : Store.local;
        var key = new CounterKey(request.label(), request.tier() == null ? NO_TIER : request.tier(),
                teamTags.of(chain.team(), chain.org()));
        var found = counters.get(key);
        if (found == null) {
            found = counters.computeIfAbsent(key, this::register);
        }
        found.byOutcomeAndStore()[outcome.ordinal() * timers.length + store.ordinal()].increment();
        timers[store.ordinal()].record(nanos, TimeUnit.NANOSECONDS);
    }

    private Counters register(CounterKey key) {
        var registered = new Counter[Outcome.values().length * timers.length];
        for (var outcome : Outcome.values()) {
            for (var store : Store.values()) {
                registered[outcome.ordinal() * timers.length + store.ordinal()] = Counter.builder(DECISIONS)
                        .description("Decisions made").tag("resource", key.resource()).tag("tier", key.tier())
                        .tag("outcome", outcome.name()).tag("store", store.name()).tags(key.group().tags())
                        .register(registry);
            }
        }
        return new Counters(registered);
    }
}
