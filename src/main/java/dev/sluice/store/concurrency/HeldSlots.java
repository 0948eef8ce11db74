package dev.sluice.store.concurrency;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;

import dev.sluice.api.ConcurrencySlot;
import dev.sluice.store.WindowClaim;

/**
 * Slots that the requests of this instance hold, by identifier and resource. In Redis the instance has a copy of each count, which
 * follows this one: what has changed here is sent there. Thread-safe; nothing blocks.
 */
public final class HeldSlots {

    /**
     * Slots that are counted together.
     *
     * @param identifier the identifier under which they are stored
     */
    public record Key(String identifier, String resource) {
    }

    /**
     * Count for Redis.
     *
     * @param units slots that are held
     * @param granted number of the last slot in the replies of Redis. Redis counts those that it has granted since in addition: their
     *        replies are under way
     */
    public record Count(long units, long granted) {
    }

    /** Accessed in the atomic operations of the map only. */
    private static final class Entry {

        private volatile long units;
        /** Decisions that were sent to Redis, and have no reply yet. */
        private int underWay;
        private long granted;
        /** True if Redis may have another count. */
        private boolean changed;
        /** True if Redis may have a count of this entry, or may get one: it has to be corrected, also after an outage. */
        private boolean inRedis;
        /** Number of counts that were sent to Redis and are not acknowledged. */
        private int unacknowledged;

        boolean isUnused() {
            return units == 0 && underWay == 0 && !changed && unacknowledged == 0;
        }
    }

    private final ConcurrentHashMap<Key, Entry> entries = new ConcurrentHashMap<>();
    private final Queue<Key> changes = new ConcurrentLinkedQueue<>();
    private volatile Runnable changeListener = () -> {
    };
    /** False while Redis is unavailable. */
    private volatile boolean shared;

    /** Sets the listener that is called after a count has changed, on any thread. */
    public void onChange(Runnable listener) {
        changeListener = listener;
    }

    /**
     * Sets whether changes are sent to Redis. While they are not, a key without slots is kept only if Redis may count some for it: when
     * Redis was paused, it executes decisions of before as soon as it is back.
     */
    public void setShared(boolean shared) {
        this.shared = shared;
    }

    /** Returns the slots that are held. */
    public long units(String identifier, String resource) {
        var entry = entries.get(new Key(identifier, resource));
        return entry == null ? 0 : entry.units;
    }

    /** Takes slots without Redis. The caller has decided that they are free. */
    public ConcurrencySlot take(String identifier, List<WindowClaim> claims) {
        var held = new ArrayList<Key>(1);
        var units = new ArrayList<Long>(1);
        for (var claim : claims) {
            if (claim.isConcurrency() && claim.cost() > 0) {
                var key = new Key(identifier, claim.resource());
                add(key, claim.cost(), true);
                held.add(key);
                units.add(claim.cost());
            }
        }
        return slot(held, units);
    }

    /**
     * Creates the handle of slots that have been added.
     *
     * @param units slots of each key
     */
    public ConcurrencySlot slot(List<Key> keys, List<Long> units) {
        if (keys.isEmpty()) {
            return ConcurrencySlot.NONE;
        }
        var released = new AtomicBoolean();
        return () -> {
            if (released.compareAndSet(false, true)) {
                for (int i = 0; i < keys.size(); i++) {
                    add(keys.get(i), -units.get(i), true);
                }
            }
        };
    }

    /** Combines handles into one. */
    public static ConcurrencySlot combine(List<ConcurrencySlot> slots) {
        var held = slots.stream().filter(slot -> slot != ConcurrencySlot.NONE).toList();
        return held.isEmpty() ? ConcurrencySlot.NONE : () -> held.forEach(ConcurrencySlot::release);
    }

    private void add(Key key, long units, boolean changed) {
        var listed = new AtomicBoolean();
        entries.compute(key, (same, existing) -> {
            var entry = existing == null ? new Entry() : existing;
            boolean counted = changed && (shared || entry.inRedis);
            entry.units += units;
            listed.set(counted && !entry.changed);
            entry.changed |= counted;
            return entry.isUnused() ? null : entry;
        });
        if (listed.get()) {
            changes.add(key);
            changeListener.run();
        }
    }

    /** A decision is about to be sent to Redis. */
    public void onSent(Key key) {
        entries.compute(key, (same, existing) -> {
            var entry = existing == null ? new Entry() : existing;
            entry.underWay++;
            entry.inRedis = true;
            return entry;
        });
    }

    /** A decision that was sent was certainly not executed. */
    public void onUnsent(Key key) {
        entries.computeIfPresent(key, (same, entry) -> {
            entry.underWay--;
            return entry.isUnused() ? null : entry;
        });
    }

    /**
     * Redis has replied to a decision.
     *
     * @param granted number of the last slot that was granted to this instance
     * @param units slots that the request now holds; 0 if it was denied
     */
    public void onReply(Key key, long granted, long units) {
        entries.computeIfPresent(key, (same, entry) -> {
            entry.underWay--;
            entry.granted = granted;
            entry.units += units;
            return entry.isUnused() ? null : entry;
        });
    }

    /** It is not known, or does not matter any more, what Redis has decided: its count is corrected. */
    public void onNoReply(Key key) {
        var listed = new AtomicBoolean();
        entries.computeIfPresent(key, (same, entry) -> {
            entry.underWay--;
            listed.set(!entry.changed);
            entry.changed = true;
            return entry;
        });
        if (listed.get()) {
            changes.add(key);
            changeListener.run();
        }
    }

    /** Returns a count that has to be sent to Redis; null if there is none. */
    public Key nextChange() {
        return changes.poll();
    }

    /** Returns whether counts have to be sent to Redis. */
    public boolean hasChanges() {
        return !changes.isEmpty();
    }

    /** Returns the count of a key, which is about to be sent to Redis. */
    public Count count(Key key) {
        var count = new Count[1];
        entries.compute(key, (same, existing) -> {
            var entry = existing == null ? new Entry() : existing;
            entry.changed = false;
            entry.inRedis = true;
            entry.unacknowledged++;
            count[0] = new Count(entry.units, entry.granted);
            return entry;
        });
        return count[0];
    }

    /** Redis may not have a count that was sent: it is sent again with the next heartbeat. */
    public void onNotCounted(Key key) {
        onCounted(key, entry -> true);
    }

    /**
     * Redis has a count. If it has granted slots of which this instance does not know, although no decision is under way, their replies
     * are lost; the count is sent again without them.
     *
     * @param granted number of the last slot that was granted to this instance
     */
    public void onCounted(Key key, long granted) {
        onCounted(key, entry -> {
            boolean lost = entry.underWay == 0 && granted > entry.granted;
            entry.granted = lost ? granted : entry.granted;
            return lost;
        });
    }

    private void onCounted(Key key, Predicate<Entry> sendAgain) {
        var listed = new AtomicBoolean();
        entries.computeIfPresent(key, (same, entry) -> {
            entry.unacknowledged--;
            boolean again = sendAgain.test(entry);
            listed.set(again && !entry.changed);
            entry.changed |= again;
            return entry.isUnused() ? null : entry;
        });
        if (listed.get()) {
            changes.add(key);
        }
    }

    /** Returns the keys of which slots are held. */
    public List<Key> held() {
        var held = new ArrayList<Key>();
        entries.forEach((key, entry) -> {
            if (entry.units > 0) {
                held.add(key);
            }
        });
        return held;
    }

    /** Returns the number of keys in memory. */
    int size() {
        return entries.size();
    }
}
