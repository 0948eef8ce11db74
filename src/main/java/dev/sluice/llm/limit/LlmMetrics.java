package dev.sluice.llm.limit;

import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

import jakarta.inject.Singleton;

import dev.sluice.llm.config.Providers;
import dev.sluice.llm.ledger.CallOwner;
import dev.sluice.llm.pricing.CostParts;
import dev.sluice.llm.pricing.CostParts.Group;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.metrics.TeamTags;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;

/**
 * Metrics of LLM calls. To bound the number of time series, no tag contains a user, the model is an entry of the price
 * table or {@value #OTHER}, and the type is a kind of usage that has a price of its own.
 */
@Singleton
class LlmMetrics {

    static final String OTHER = "other";
    /** Types of tokens that contain others, and are counted from the tokens of the whole call. */
    private static final Set<String> TOTALS = Set.of("input", "cached_input", "cache_write", "output");
    /** In picodollars. */
    private static final double DOLLAR = 1e12;

    /** Outcome of a call, the value of the tag {@code outcome}. */
    enum Outcome {
        /** Succeeded, with reported usage. */
        ok,
        /** Succeeded or interrupted, with estimated usage. */
        estimated,
        /** Denied by Sluice. */
        denied,
        /** Rejected by the provider's own rate limit (429). */
        limited,
        /** Failed at the provider, or before it was reached. */
        error
    }

    private record Key(Provider provider, String model, TeamTags.Group group) {
    }

    /** Quantity and cost of one kind. */
    private record PartCounters(Counter quantity, Counter cost) {
    }

    /** All counters of one model, registered together so that each starts at zero; those of kinds when they are first used. */
    private static final class Counters {

        private final Map<Outcome, Counter> calls = new EnumMap<>(Outcome.class);
        private final Counter input;
        private final Counter cachedInput;
        private final Counter cacheWrite;
        private final Counter output;
        private final Counter cost;
        private final Key key;
        private final MeterRegistry registry;
        private final Map<String, PartCounters> parts = new ConcurrentHashMap<>();

        Counters(Key key, MeterRegistry registry) {
            this.key = key;
            this.registry = registry;
            for (var outcome : Outcome.values()) {
                calls.put(outcome, counter("llm_calls", "LLM calls by outcome", key).tag("outcome", outcome.name())
                        .register(registry));
            }
            input = tokens(key, "input", registry);
            cachedInput = tokens(key, "cached_input", registry);
            cacheWrite = tokens(key, "cache_write", registry);
            output = tokens(key, "output", registry);
            cost = counter("llm_cost_usd", "Cost of LLM calls in US dollars", key).register(registry);
        }

        /** @param part of a priced call, or of one without a price */
        void count(CostParts.Part part) {
            var known = parts.get(part.kind());
            var counters = known == null ? parts.computeIfAbsent(part.kind(), kind -> register(part)) : known;
            if (counters.quantity() != null) {
                counters.quantity().increment(part.quantity());
            }
            counters.cost().increment(part.picodollars() / DOLLAR);
        }

        private PartCounters register(CostParts.Part part) {
            var kind = part.kind();
            return new PartCounters(
                    part.group() == Group.NONE ? units(kind) : TOTALS.contains(kind) ? null : tokens(key, kind, registry),
                    counter("llm_cost_by_type_usd", "Cost of LLM calls in US dollars, by kind of usage", key).tag("type", kind)
                            .register(registry));
        }

        private Counter units(String kind) {
            return counter("llm_units", "What LLM calls have used beside tokens, such as web searches and images", key)
                    .tag("type", kind).register(registry);
        }

        private static Counter tokens(Key key, String type, MeterRegistry registry) {
            return counter("llm_tokens", "Tokens of LLM calls; the types with a prefix are parts of input and output", key)
                    .tag("type", type).register(registry);
        }

        private static Counter.Builder counter(String name, String description, Key key) {
            return Counter.builder(name).description(description).tag("provider", key.provider().id())
                    .tag("model", key.model()).tags(key.group().tags());
        }
    }

    private final MeterRegistry registry;
    private final TeamTags teamTags;
    private final Map<Key, Counters> counters = new ConcurrentHashMap<>();
    private final Map<Provider, Counter> unpriced = new HashMap<>();

    LlmMetrics(MeterRegistry registry, Providers providers, TeamTags teamTags) {
        this.registry = registry;
        this.teamTags = teamTags;
        for (var provider : providers.all()) {
            unpriced.put(provider, Counter.builder("llm_unpriced_calls").tag("provider", provider.id())
                    .description("Successful LLM calls of models without a price").register(registry));
        }
    }

    /**
     * Counts a call that succeeded.
     *
     * @param model name of the entry of the price table; null if there is none
     * @param cost the cost; negative if the model has no price
     */
    void countSuccess(Provider provider, CallOwner owner, String model, TokenUsage usage, CostParts cost, boolean estimated) {
        var modelCounters = countersOf(provider, owner, model);
        modelCounters.calls.get(estimated ? Outcome.estimated : Outcome.ok).increment();
        add(modelCounters.input, usage.input());
        add(modelCounters.cachedInput, usage.cachedInput());
        add(modelCounters.cacheWrite, usage.cacheWrite());
        add(modelCounters.output, usage.output());
        for (var part : cost.parts()) {
            if (!part.kind().equals(CostParts.REPORTED)) {
                modelCounters.count(part);
            }
        }
        if (cost.picodollars() < 0) {
            unpriced.get(provider).increment();
        } else {
            modelCounters.cost.increment(cost.picodollars() / DOLLAR);
        }
    }

    private static void add(Counter counter, long tokens) {
        if (tokens > 0) {
            counter.increment(tokens);
        }
    }

    /** Counts a call that did not succeed. */
    void countFailure(Provider provider, CallOwner owner, String model, Outcome outcome) {
        countersOf(provider, owner, model).calls.get(outcome).increment();
    }

    private Counters countersOf(Provider provider, CallOwner owner, String model) {
        var key = new Key(provider, model == null ? OTHER : model, teamTags.of(owner.team(), owner.org()));
        var found = counters.get(key);
        return found == null ? counters.computeIfAbsent(key, name -> new Counters(name, registry)) : found;
    }
}
