package dev.sluice.service.alerts;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.LongSupplier;

import io.vertx.core.Future;
import io.vertx.core.json.JsonObject;

/** Queue of alerts of a single instance without Redis. It is lost at a restart. Not thread-safe: used on one context. */
final class InMemoryAlertQueue implements AlertQueue {

    static final int MAX_CLAIMS = 100_000;

    /** State of an alert; times in milliseconds. */
    private static final class Entry {

        private final String message;
        private final String owner;
        private final long created;
        private long due;
        private int attempts;

        Entry(String message, long created) {
            this.message = message;
            this.owner = LimitAlert.owner(new JsonObject(message));
            this.created = created;
            this.due = created;
        }
    }

    private final LongSupplier clock;
    /** Claims and the time until which they are kept; beyond {@value #MAX_CLAIMS}, the oldest are dropped. */
    private final Map<String, Long> claims = new LinkedHashMap<>() {

        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Long> eldest) {
            return size() > MAX_CLAIMS || eldest.getValue() <= clock.getAsLong();
        }
    };
    private final Map<String, Entry> entries = new HashMap<>();
    /** Numbers of entries by owner. */
    private final Map<String, Integer> owners = new HashMap<>();

    /** @param clock returns milliseconds since 1970 */
    InMemoryAlertQueue(LongSupplier clock) {
        this.clock = clock;
    }

    @Override
    public Future<List<ClaimResult>> claim(List<LimitAlert> alerts) {
        return Future.succeededFuture(alerts.stream().map(this::claim).toList());
    }

    private ClaimResult claim(LimitAlert alert) {
        long now = clock.getAsLong();
        var claimedUntil = claims.get(alert.claim());
        if (claimedUntil != null && claimedUntil > now) {
            return ClaimResult.ALREADY_CLAIMED;
        }
        var entry = new Entry(alert.message(), now);
        if (owners.getOrDefault(entry.owner, 0) >= MAX_PENDING - entries.size()) {
            return ClaimResult.FULL;
        }
        claims.remove(alert.claim());
        claims.put(alert.claim(), alert.keepUntil().toEpochMilli());
        owners.merge(entry.owner, 1, Integer::sum);
        entries.put("alert_" + UUID.randomUUID().toString().replace("-", ""), entry);
        return ClaimResult.CLAIMED;
    }

    @Override
    public Future<Lease> lease(int max) {
        long now = clock.getAsLong();
        var due = entries.entrySet().stream().filter(entry -> entry.getValue().due <= now)
                .sorted(Comparator.comparingLong(entry -> entry.getValue().due)).limit(max).toList();
        var leased = new ArrayList<Leased>();
        for (var entry : due) {
            entry.getValue().due = now + LEASE_MILLIS;
            leased.add(new Leased(entry.getKey(), entry.getValue().attempts, entry.getValue().message));
        }
        return Future.succeededFuture(new Lease(leased, entries.size()));
    }

    @Override
    public Future<RetryResult> retry(String id, long delayMillis) {
        long now = clock.getAsLong();
        var entry = entries.get(id);
        if (entry == null) {
            return Future.succeededFuture(RetryResult.GONE);
        }
        if (now + delayMillis - entry.created > MAX_AGE_MILLIS) {
            removeEntry(id);
            return Future.succeededFuture(RetryResult.GIVEN_UP);
        }
        entry.attempts++;
        entry.due = now + delayMillis;
        return Future.succeededFuture(RetryResult.SCHEDULED);
    }

    @Override
    public Future<Boolean> remove(String id) {
        return Future.succeededFuture(removeEntry(id));
    }

    private boolean removeEntry(String id) {
        var entry = entries.remove(id);
        if (entry != null) {
            owners.computeIfPresent(entry.owner, (owner, number) -> number == 1 ? null : number - 1);
        }
        return entry != null;
    }
}
