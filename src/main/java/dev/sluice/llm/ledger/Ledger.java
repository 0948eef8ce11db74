package dev.sluice.llm.ledger;

import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;

import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;

import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

import dev.sluice.config.ConfigProblems;
import dev.sluice.config.InMemoryClock;
import dev.sluice.identity.chain.ModelPattern;
import dev.sluice.redis.RedisProvider;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.smallrye.mutiny.TimeoutException;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;

/**
 * Usage ledger of LLM calls: calls, tokens and cost by identifier, provider, model and hour, kept for 31 days.
 * <p>
 * Written asynchronously, not as part of the request. While Redis is unavailable, up to
 * {@code rate-limit.llm.ledger.buffer} entries are buffered and written later, each exactly once; entries beyond that are
 * dropped and counted. Thread-safe and non-blocking.
 */
@ApplicationScoped
public class Ledger {

    /** Maximum number of hours that can be read. */
    public static final int MAX_HOURS = LedgerStore.RETENTION_HOURS - 1;

    /** Maximum number of days, before the current one, of which sums can be read: the previous calendar month. */
    public static final int MAX_DAYS = LedgerStore.RETENTION_DAYS;

    private static final long DAYS_PERIOD_MILLIS = Duration.ofHours(1).toMillis();
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);
    private static final Logger LOG = Logger.getLogger("dev.sluice");

    private final LedgerConfig config;
    private final Clock clock;
    private final LedgerStore store;
    private final Vertx vertx;
    private volatile long daysTimer = -1;

    @Inject
    Ledger(LedgerConfig config, RedisProvider redis, Vertx vertx, MeterRegistry meters, InMemoryClock clock) {
        this(config, redis, vertx, meters, redis.connectionManager() == null ? clock.clock() : Clock.systemUTC());
    }

    Ledger(LedgerConfig config, RedisProvider redis, Vertx vertx, MeterRegistry meters, Clock clock) {
        this.config = config;
        this.clock = clock;
        this.vertx = vertx;
        int buffer = Math.max(1, config.buffer());
        this.store = redis.connectionManager() == null
                ? new InMemoryLedger(buffer)
                : new RedisLedger(vertx, redis.connectionManager(), redis.hashTags(), buffer, meters);
    }

    void validate(@Observes ConfigProblems problems) {
        if (config.buffer() < 1) {
            problems.add("rate-limit.llm.ledger.buffer", Integer.toString(config.buffer()), "1 or more");
        }
        if (config.anonymousIdentifiers() < 0) {
            problems.add("rate-limit.llm.ledger.anonymous-identifiers", Integer.toString(config.anonymousIdentifiers()),
                    "0 or more");
        }
    }

    /** Computes the sums of past days once an hour, at a random minute: they must be complete before their hours expire. */
    void start(@Observes StartupEvent started) {
        daysTimer = vertx.setTimer(ThreadLocalRandom.current().nextLong(1, DAYS_PERIOD_MILLIS), first -> {
            computeDays();
            daysTimer = vertx.setPeriodic(DAYS_PERIOD_MILLIS, next -> computeDays());
        });
    }

    private void computeDays() {
        store.computeDays(LedgerHash.dayOf(currentHour())).subscribe().with(done -> {
        }, failure -> LOG.debug("Sums of days could not be computed; the next attempt is in an hour", failure));
    }

    /** Writes the buffered entries. Must run before the Redis connection is closed. */
    void stop(@Observes @Priority(100) ShutdownEvent stopping) {
        vertx.cancelTimer(daysTimer);
        try {
            store.close().await().atMost(CLOSE_TIMEOUT);
        } catch (TimeoutException e) { // the other shutdown observers must still run
            LOG.warnf("Ledger could not be written before shutdown; buffered entries are lost: timeout=%s", CLOSE_TIMEOUT);
        }
    }

    /**
     * Books a call that has no idempotency key, without the cost of a {@code Uni}.
     *
     * @param entry the call, without a request id
     */
    public void add(LedgerEntry entry) {
        store.add(entry, currentHour());
    }

    /**
     * Books a call. The entry is accepted at once, even without a subscription.
     *
     * @param entry the call
     * @return whether the entry is new. With a request id, completes when that is known or cannot be determined now;
     * otherwise at once
     */
    public Uni<Boolean> book(LedgerEntry entry) {
        return store.book(entry, currentHour());
    }

    /**
     * Books a call as {@link #book(LedgerEntry)} does.
     *
     * @param entry the call
     * @param later receives whether the entry is new, once that is known after it could not be determined in time: when Redis is
     * available again. Called on any thread; must not throw or block
     * @return whether the entry is new; null if that cannot be determined now
     */
    public Uni<@Nullable Boolean> book(LedgerEntry entry, Consumer<Boolean> later) {
        return store.book(entry, currentHour(), later);
    }

    /**
     * Completes when all entries booked for an identifier so far have been written, or cannot be written now. Never fails.
     *
     * @param identifier the identifier, as stored
     * @return completes without an item
     */
    public Uni<Void> awaitWritten(String identifier) {
        return store.awaitWritten(identifier);
    }

    /**
     * Returns an identifier's usage in the last hours, from the start of the hour in which they began until now. While
     * Redis is known to be unavailable, only the buffered entries are returned.
     *
     * @param identifier the identifier, as stored
     * @param hours 1 to {@value #MAX_HOURS}
     * @return the usage; fails with {@link dev.sluice.api.StoreUnavailableException} if Redis does not reply
     */
    public Uni<UsageReport> read(String identifier, int hours) {
        long now = currentHour();
        return store.read(identifier, now - hours, now);
    }

    /**
     * Passes the usage of all owners in a range to a consumer. Rows of one hour or day, owner and model may be passed repeatedly: their
     * sum is the usage. Hours are kept for {@value #MAX_HOURS} hours, sums of days for {@value #MAX_DAYS} days.
     *
     * @param range the range
     * @param rows receives the rows one after the other, on any thread; must not block
     * @return completes when all rows have been passed; fails with {@link dev.sluice.api.StoreUnavailableException} if Redis does
     *         not reply
     */
    public Uni<Void> readSpend(SpendRange range, Consumer<SpendRow> rows) {
        return store.readSpend(range, rows);
    }

    /**
     * Returns the number of the current hour.
     *
     * @return whole hours since 1970
     */
    public long currentHour() {
        return LedgerHash.hourOf(clock.instant().getEpochSecond());
    }

    /**
     * Returns the histogram of a model's outputs, of the entries that had a sample.
     *
     * @param identifier the identifier, as stored
     * @param provider the provider's id
     * @param model the model's name
     * @param fromHour number of the first hour
     * @param toHour number of the last hour
     * @return the histogram; fails if it cannot be read now
     */
    public Uni<OutputHistogram> readOutputs(String identifier, String provider, String model, long fromHour, long toHour) {
        return store.readOutputs(identifier, provider, ModelPattern.normalize(model), fromHour, toHour);
    }
}
