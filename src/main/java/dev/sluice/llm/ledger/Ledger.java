package dev.sluice.llm.ledger;

import java.time.Clock;
import java.time.Duration;

import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;

import org.jboss.logging.Logger;

import dev.sluice.config.ConfigProblems;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.redis.RedisProvider;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.ShutdownEvent;
import io.smallrye.mutiny.TimeoutException;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;

/**
 * The account of calls of language models: calls, tokens and cost by identifier, provider, model and hour, kept for 31 days.
 * <p>
 * It is written off the path of the request. What cannot be written now waits, up to {@code rate-limit.llm.ledger.buffer}
 * entries, and is written when Redis returns, each once; what does not fit is dropped and counted.
 */
@ApplicationScoped
public class Ledger {

    /** The furthest it reaches back, in hours. */
    public static final int MAX_HOURS = 31 * 24;

    /**
     * One call.
     *
     * @param identifier who made it
     * @param provider the provider's id
     * @param model the model's name, empty where it is not known
     * @param picodollars what it cost, in 10⁻¹² US dollars; negative where the model has no price
     * @param estimated whether nobody has reported the usage
     * @param requestId of all entries with the same one of an identifier and provider one is booked; null: each is
     */
    public record Entry(String identifier, String provider, String model, TokenUsage usage, long picodollars,
            boolean estimated, String requestId) {
    }

    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);
    private static final Logger LOG = Logger.getLogger("dev.sluice");

    private final LedgerConfig config;
    private final Clock clock;
    private final LedgerStore store;

    @Inject
    Ledger(LedgerConfig config, RedisProvider redis, Vertx vertx, MeterRegistry meters) {
        this(config, redis, vertx, meters, Clock.systemUTC());
    }

    Ledger(LedgerConfig config, RedisProvider redis, Vertx vertx, MeterRegistry meters, Clock clock) {
        this.config = config;
        this.clock = clock;
        int buffer = Math.max(1, config.buffer());
        this.store = redis.connectionManager() == null
                ? new InMemoryLedger(buffer)
                : new RedisLedger(vertx, redis.connectionManager(), redis.hashTags(), buffer, meters);
    }

    void validate(@Observes ConfigProblems problems) {
        if (config.buffer() < 1) {
            problems.add("rate-limit.llm.ledger.buffer", Integer.toString(config.buffer()), "1 or more");
        }
    }

    /** Before the link to Redis closes. */
    void stop(@Observes @Priority(100) ShutdownEvent stopping) {
        try {
            store.close().await().atMost(CLOSE_TIMEOUT);
        } catch (TimeoutException e) { // what else stops must still be told
            LOG.warnf("The ledger could not be written in %s; what waits is lost", CLOSE_TIMEOUT);
        }
    }

    /**
     * Books a call. It is taken into account at once, whether anybody subscribes or not.
     *
     * @return whether it is new: with a request id, when that is known, or it is clear that it will be later; else at once
     */
    public Uni<Boolean> book(Entry entry) {
        return store.book(entry, LedgerHash.hourOf(clock.instant().getEpochSecond()));
    }

    /** Completes when what was booked for an identifier so far is written, or it is clear that it must wait. Never fails. */
    public Uni<Void> awaitWritten(String identifier) {
        return store.awaitWritten(identifier);
    }

    /**
     * What an identifier has used in the last hours: from the beginning of the hour that began before them up to now. Fails
     * with {@link dev.sluice.api.StoreUnavailableException} where Redis was asked and did not answer; while it is known to be
     * out of reach, the answer is what waits to be written.
     *
     * @param hours 1 to {@value #MAX_HOURS}
     */
    public Uni<UsageReport> read(String identifier, int hours) {
        long now = LedgerHash.hourOf(clock.instant().getEpochSecond());
        return store.read(identifier, now - hours, now);
    }
}
