package dev.sluice.llm.limit;

import java.util.function.LongSupplier;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;

import dev.sluice.llm.ledger.OutputHistogram;
import dev.sluice.llm.protocol.Provider;
import io.smallrye.mutiny.Uni;

/**
 * Estimates the output of calls that set no maximum: what 95 percent of the calls of the same identifier, provider and model in
 * the last {@value #HOURS} hours did not exceed. The ledger is read in the background, at most once a minute for each of them, and
 * while Redis is unavailable the estimate is that of this instance's own calls. Bounded, thread-safe and non-blocking.
 */
final class OutputEstimates {

    static final int HOURS = 24;
    private static final int MAX_MODELS = 10_000;

    /** Reads the histogram of a model's outputs from the ledger, or fails. */
    @FunctionalInterface
    interface Reader {

        Uni<OutputHistogram> read(String identifier, String provider, String model, long fromHour, long toHour);
    }

    private record Key(String identifier, Provider provider, String model) {
    }

    private record CallerKey(String identifier, Provider provider) {
    }

    private final Cache<Key, ModelOutputs> models = Caffeine.newBuilder().executor(Runnable::run).maximumSize(MAX_MODELS)
            .build();
    private final Cache<CallerKey, CallsInFlight> inFlight = Caffeine.newBuilder().executor(Runnable::run)
            .maximumSize(MAX_MODELS).build();
    private final Reader reader;
    private final LongSupplier currentHour;
    private final LongSupplier nanoTime;

    OutputEstimates(Reader reader, LongSupplier currentHour, LongSupplier nanoTime) {
        this.reader = reader;
        this.currentHour = currentHour;
        this.nanoTime = nanoTime;
    }

    /**
     * Begins a call. It must be ended or cancelled.
     *
     * @param minimum lower bound of the estimate
     * @param unknown the estimate of a model without a history
     */
    ModelOutputs.Call begin(LlmCallEstimate call, long minimum, long unknown) {
        var key = new Key(call.identifier(), call.provider(), call.model());
        var outputs = models.get(key, name -> new ModelOutputs());
        long now = nanoTime.getAsLong();
        if (outputs.beginRead(now)) {
            read(key, outputs);
        }
        var calls = inFlight.get(new CallerKey(call.identifier(), call.provider()), caller -> new CallsInFlight());
        return outputs.begin(calls, minimum, unknown, call.choices(), now);
    }

    /**
     * Adds the output of a call made elsewhere. Without effect if this instance has not begun a call of the model; when it does, it
     * reads the ledger.
     */
    void add(String identifier, Provider provider, String model, long tokens) {
        var outputs = models.getIfPresent(new Key(identifier, provider, model));
        if (outputs != null) {
            outputs.add(tokens);
        }
    }

    private void read(Key key, ModelOutputs outputs) {
        try {
            long hour = currentHour.getAsLong();
            var recent = read(key, hour - 1, hour);
            var both = outputs.needsOlder(hour)
                    ? recent.chain(last -> read(key, hour - HOURS + 1, hour - 2)
                            .invoke(older -> outputs.endRead(hour, older, last)))
                    : recent.invoke(last -> outputs.endRead(hour, null, last));
            both.subscribe().with(done -> {
            }, failure -> outputs.failRead());
        } catch (RuntimeException | Error e) {
            outputs.failRead();
            throw e;
        }
    }

    private Uni<OutputHistogram> read(Key key, long fromHour, long toHour) {
        return reader.read(key.identifier(), key.provider().id(), key.model(), fromHour, toHour);
    }
}
