package dev.sluice.llm.limit;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import jakarta.inject.Singleton;

import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.TokenUsage;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;

/** Counts calls of language models. No tag holds a user; a model is a row of the price table, or {@value #OTHER}. */
@Singleton
class LlmMetrics {

    static final String OTHER = "other";

    /** How a call ended. */
    enum Outcome {
        /** Answered, and its usage reported. */
        ok,
        /** Answered or broken off, and its usage estimated. */
        estimated,
        /** Refused by Sluice. */
        denied,
        /** Refused by the provider's own rate limit: 429. */
        limited,
        /** Failed at the provider, or on the way there. */
        error
    }

    private record Key(Provider provider, String model) {
    }

    /** All counters of one model at once, so that each begins at zero. */
    private static final class Counters {

        private final Map<Outcome, Counter> calls = new EnumMap<>(Outcome.class);
        private final Counter input;
        private final Counter cachedInput;
        private final Counter cacheWrite;
        private final Counter output;
        private final Counter cost;

        Counters(Key key, MeterRegistry registry) {
            for (var outcome : Outcome.values()) {
                calls.put(outcome, counter("llm_calls", "Calls of language models", key).tag("outcome", outcome.name())
                        .register(registry));
            }
            input = tokens(key, "input", registry);
            cachedInput = tokens(key, "cached_input", registry);
            cacheWrite = tokens(key, "cache_write", registry);
            output = tokens(key, "output", registry);
            cost = counter("llm_cost_usd", "What calls of language models cost, in US dollars", key).register(registry);
        }

        private static Counter tokens(Key key, String type, MeterRegistry registry) {
            return counter("llm_tokens", "Tokens of language models; cached and written ones are part of the input", key)
                    .tag("type", type).register(registry);
        }

        private static Counter.Builder counter(String name, String description, Key key) {
            return Counter.builder(name).description(description).tag("provider", key.provider().id())
                    .tag("model", key.model());
        }
    }

    private final MeterRegistry registry;
    private final Map<Key, Counters> counters = new ConcurrentHashMap<>();
    private final Map<Provider, Counter> unpriced = new EnumMap<>(Provider.class);

    LlmMetrics(MeterRegistry registry) {
        this.registry = registry;
        for (var provider : Provider.values()) {
            unpriced.put(provider, Counter.builder("llm_unpriced_calls").tag("provider", provider.id())
                    .description("Answered calls of models that have no price").register(registry));
        }
    }

    /**
     * A call was answered.
     *
     * @param model a row of the price table; null where there is none
     * @param picodollars negative where the model has no price
     */
    void countSuccess(Provider provider, String model, TokenUsage usage, long picodollars, boolean estimated) {
        var modelCounters = countersOf(provider, model);
        modelCounters.calls.get(estimated ? Outcome.estimated : Outcome.ok).increment();
        modelCounters.input.increment(usage.input());
        modelCounters.cachedInput.increment(usage.cachedInput());
        modelCounters.cacheWrite.increment(usage.cacheWrite());
        modelCounters.output.increment(usage.output());
        if (picodollars < 0) {
            unpriced.get(provider).increment();
        } else {
            modelCounters.cost.increment(picodollars / 1e12);
        }
    }

    /** A call was not answered. */
    void countFailure(Provider provider, String model, Outcome outcome) {
        countersOf(provider, model).calls.get(outcome).increment();
    }

    private Counters countersOf(Provider provider, String model) {
        var key = new Key(provider, model == null ? OTHER : model);
        var found = counters.get(key);
        return found == null ? counters.computeIfAbsent(key, name -> new Counters(name, registry)) : found;
    }
}
