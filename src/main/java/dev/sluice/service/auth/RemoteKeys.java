package dev.sluice.service.auth;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.regex.Pattern;

import org.jboss.logging.Logger;

import dev.sluice.identity.KeysUnavailableException;
import dev.sluice.store.ThrottledLog;
import io.vertx.core.Future;
import io.vertx.core.Promise;

/**
 * Keys that are fetched from a URL. All requests that need them wait for the same fetch. A fetch that fails leaves the last keys
 * in force, however long it fails. An unknown key identifier causes a fetch, but not more often than the minimum interval, so
 * that invented ones cannot flood the server of the keys. Thread-safe; never blocks.
 */
final class RemoteKeys {

    /** Time after which a failed fetch is repeated if there are no keys. */
    static final Duration RETRY_WITHOUT_KEYS = Duration.ofSeconds(1);
    static final Duration MIN_LIFETIME = Duration.ofMinutes(1);
    static final Duration MAX_LIFETIME = Duration.ofDays(1);

    private static final Logger LOG = Logger.getLogger(RemoteKeys.class);
    private static final Pattern MAX_AGE = Pattern.compile("(?i)(?:^|[\\s,])max-age=\"?(\\d{1,9})");

    private final String location;
    private final Supplier<Future<KeyDocument>> fetcher;
    private final Function<String, FetchedKeys> reader;
    private final long lifetimeNanos;
    private final long minIntervalNanos;
    private final LongSupplier nanoTime;
    private final ThrottledLog failures = new ThrottledLog();

    /** Null before the first fetch has succeeded. */
    private volatile FetchedKeys keys;
    private volatile boolean failing;
    // guarded by this
    private Future<Void> pending;
    private boolean attempted;
    private long attemptedAt;
    private long refreshAt;

    /**
     * @param location location of the keys as it may be logged
     * @param fetcher fetches the document; its result is bounded in time
     * @param reader reads the document; throws IllegalArgumentException if there is no key in it
     * @param lifetime time after which keys are fetched again, unless the response has a {@code max-age}
     * @param minInterval shortest time between two fetches if there are keys
     * @param nanoTime current time, as {@link System#nanoTime}
     */
    RemoteKeys(String location, Supplier<Future<KeyDocument>> fetcher, Function<String, FetchedKeys> reader, Duration lifetime,
            Duration minInterval, LongSupplier nanoTime) {
        this.location = location;
        this.fetcher = fetcher;
        this.reader = reader;
        this.lifetimeNanos = lifetime.toNanos();
        this.minIntervalNanos = minInterval.toNanos();
        this.nanoTime = nanoTime;
    }

    /** Returns the current keys; null before the first fetch has succeeded. */
    FetchedKeys current() {
        return keys;
    }

    /**
     * Waits until the keys are fetched that a token needs, if they are not there.
     *
     * @param keyId key identifier of the token; null if it has none
     * @return completed if nothing needs to be fetched; fails with {@link KeysUnavailableException} if it cannot be known whether
     *         the key exists, after the fetch's time limit at the latest
     */
    Future<Void> require(String keyId) {
        var found = keys;
        if (found != null && !found.lacks(keyId)) {
            return Future.succeededFuture();
        }
        return fetchIfDue(false).compose(fetched -> {
            var latest = keys;
            return latest == null || latest.lacks(keyId) && failing
                    ? Future.failedFuture(new KeysUnavailableException())
                    : Future.succeededFuture();
        });
    }

    /** Fetches the keys if their lifetime has ended or the last fetch failed. To be called about once a second. */
    void refresh() {
        fetchIfDue(true);
    }

    /** @param expiredOnly whether nothing is fetched as long as the keys need not be replaced */
    private Future<Void> fetchIfDue(boolean expiredOnly) {
        Promise<Void> started = Promise.promise();
        synchronized (this) {
            if (pending != null) {
                return pending;
            }
            long now = nanoTime.getAsLong();
            long interval = keys == null ? RETRY_WITHOUT_KEYS.toNanos() : minIntervalNanos;
            if (attempted && (now - attemptedAt < interval || expiredOnly && !failing && now - refreshAt < 0)) {
                return Future.succeededFuture();
            }
            pending = started.future();
        }
        Future<KeyDocument> fetch;
        try {
            fetch = fetcher.get();
        } catch (RuntimeException e) {
            fetch = Future.failedFuture(e);
        }
        fetch.map(this::accept).onComplete(done -> complete(done.succeeded() ? done.result() : null, done.cause(), started));
        return started.future();
    }

    private long accept(KeyDocument document) {
        var fetched = reader.apply(document.text());
        if (keys == null || failing) {
            LOG.infof("Keys of JWTs fetched location=%s keys=%d", location, fetched.count());
        }
        keys = fetched;
        return lifetime(document.cacheControl());
    }

    private long lifetime(String cacheControl) {
        var maxAge = cacheControl == null ? null : MAX_AGE.matcher(cacheControl);
        if (maxAge == null || !maxAge.find()) {
            return lifetimeNanos;
        }
        long stated = TimeUnit.SECONDS.toNanos(Long.parseLong(maxAge.group(1)));
        return stated == 0 ? lifetimeNanos : Math.max(MIN_LIFETIME.toNanos(), Math.min(stated, MAX_LIFETIME.toNanos()));
    }

    /** @param lifetime null if the fetch failed */
    private void complete(Long lifetime, Throwable failure, Promise<Void> started) {
        failing = lifetime == null;
        synchronized (this) {
            attempted = true;
            attemptedAt = nanoTime.getAsLong();
            refreshAt = attemptedAt + (lifetime == null ? 0 : lifetime);
            pending = null;
        }
        if (failing) {
            failures.log(times -> LOG.warnf("Keys of JWTs cannot be fetched location=%s attempts=%d consequence=%s reason=%s",
                    location, times, keys == null
                            ? "requests with a JWT get 503"
                            : "the last keys stay in force, requests with an unknown key get 503",
                    failure.getMessage() == null ? failure.toString() : failure.getMessage()));
        }
        started.complete();
    }
}
