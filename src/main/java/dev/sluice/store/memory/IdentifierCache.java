package dev.sluice.store.memory;

import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;

import dev.sluice.identity.CallerIdentifiers;
import dev.sluice.store.MicrosClock;
import dev.sluice.store.WindowBound;

/**
 * Windows by identifier, within a bound on memory. Thread-safe.
 * <p>
 * Callers have at least three quarters of the memory, other identifiers a quarter and what callers do not use: a flood of
 * identifiers from {@code /v1/check} evicts no caller. Identifiers without usage are evicted first, then those with the smallest
 * share of their limits used, so that a full window outlives all others. Eviction is part of the calls that use memory, each of
 * which does a bounded amount of it.
 */
final class IdentifierCache {

    private static final int MAX_TRIES = 100;
    /** Bounds on the entries that one call examines: all together, and full ones before one of them is evicted. */
    private static final int MAX_EXAMINED = 64;
    private static final int MAX_FULL_EXAMINED = 4;
    private static final int EVICTABLE = -1;

    private final MicrosClock clock;
    private final long maxBytes;
    private final long maxCallerBytes;
    private final EvictionQueue<CacheEntry> callers = new EvictionQueue<>();
    private final EvictionQueue<CacheEntry> others = new EvictionQueue<>();
    private final Cache<String, CacheEntry> entries;
    private final Function<String, CacheEntry> entryFactory;
    private final Consumer<String> removalListener;
    private final EvictionLog log;
    private final WindowBound bound;

    /** @param removalListener receives the identifiers that are evicted or expire */
    IdentifierCache(MicrosClock clock, long exactUpTo, long maxBytes, int maxWindows, Consumer<String> removalListener) {
        this.clock = clock;
        this.maxBytes = maxBytes;
        this.maxCallerBytes = maxBytes - maxBytes / 4;
        this.removalListener = removalListener;
        this.log = new EvictionLog(maxBytes);
        this.bound = new WindowBound(maxWindows);
        this.entryFactory = identifier -> new CacheEntry(identifier, new IdentifierWindows(exactUpTo, maxWindows),
                CallerIdentifiers.contains(identifier) ? callers : others);
        this.entries = Caffeine.newBuilder()
                .ticker(() -> TimeUnit.MICROSECONDS.toNanos(clock.micros()))
                .executor(Runnable::run)
                .expireAfter(new IdentifierExpiry())
                .evictionListener((identifier, entry, cause) -> {
                    synchronized (entry) {
                        remove(entry);
                    }
                })
                .build();
    }

    /** Applies a task to the windows of an identifier, which are created if they do not exist. */
    <T> T update(String identifier, Function<IdentifierWindows, T> task) {
        for (int tries = 1;; tries++) {
            var entry = entries.get(identifier, entryFactory);
            T result;
            boolean isLonger;
            boolean exceedsBound;
            synchronized (entry) {
                if (entry.removed() && tries < MAX_TRIES) {
                    continue; // removed after the lookup
                }
                long span = entry.windows().longestSpan();
                result = task.apply(entry.windows());
                isLonger = entry.windows().longestSpan() > span;
                exceedsBound = entry.windows().windows().pollExceeded();
                entry.count(clock);
            }
            if (exceedsBound) {
                bound.denied(1);
            }
            if (isLonger) {
                entries.asMap().replace(identifier, entry, entry); // updates its expiry
            }
            evict();
            return result;
        }
    }

    /**
     * Applies a task to the windows of several different identifiers, which are created if they do not exist. Their monitors are
     * entered in the order of the identifiers, and while no lock of the cache is held.
     */
    <T> T updateAll(List<String> identifiers, Function<List<IdentifierWindows>, T> task) {
        for (int tries = 1;; tries++) {
            var found = identifiers.stream().map(identifier -> entries.get(identifier, entryFactory)).toList();
            var ordered = found.stream().sorted(Comparator.comparing(CacheEntry::identifier)).toList();
            var result = new JointUpdate<>(found, task).run(ordered, tries >= MAX_TRIES, clock);
            if (result.isEmpty()) {
                continue; // one was removed after the lookup
            }
            if (result.get().exceedsBound()) {
                bound.denied(1);
            }
            // updates their expiry
            result.get().longer().forEach(entry -> entries.asMap().replace(entry.identifier(), entry, entry));
            identifiers.forEach(identifier -> evict());
            return result.get().value();
        }
    }

    /** Applies a task to the windows of an identifier; returns the default if there are none. */
    <T> T apply(String identifier, T otherwise, Function<IdentifierWindows, T> task) {
        var entry = entries.getIfPresent(identifier);
        return entry == null ? otherwise : apply(entry, task);
    }

    private <T> T apply(CacheEntry entry, Function<IdentifierWindows, T> task) {
        synchronized (entry) {
            var result = task.apply(entry.windows());
            entry.count(clock);
            return result;
        }
    }

    /** Applies a task to the windows of all identifiers. */
    void forEach(BiConsumer<String, IdentifierWindows> task) {
        entries.asMap().forEach((identifier, entry) -> apply(entry, windows -> {
            task.accept(identifier, windows);
            return null;
        }));
    }

    /** Must be called with the monitor of the entry, while the cache removes it. */
    private void remove(CacheEntry entry) {
        entry.remove();
        removalListener.accept(entry.identifier());
    }

    /** Evicts entries while there is too little memory; does a bounded amount of work. */
    private void evict() {
        int full = 0;
        for (int i = 0; i < MAX_EXAMINED; i++) {
            var queue = queueWithoutMemory();
            var entry = queue == null ? null : queue.first();
            if (entry == null) {
                return;
            }
            int kept = levelIfKept(entry, full == MAX_FULL_EXAMINED);
            if (kept == StoredWindow.FULL) {
                full++;
            } else if (kept == EVICTABLE && !demoteOne(queue, entry)) {
                evict(entry, full == MAX_FULL_EXAMINED);
                full = 0;
            }
        }
    }

    /** Returns the queue whose first entry must be evicted; null if there is enough memory. */
    private EvictionQueue<CacheEntry> queueWithoutMemory() {
        long used = callers.bytes();
        return used > maxCallerBytes ? callers : used + others.bytes() > maxBytes ? others : null;
    }

    /** Evicts an entry, unless a decision has changed its level. A decision on an entry precedes its eviction, or follows it. */
    private void evict(CacheEntry entry, boolean evictFull) {
        var kept = entries.asMap().computeIfPresent(entry.identifier(), (identifier, present) -> {
            if (present == entry) {
                synchronized (entry) {
                    if (levelIfKept(entry, evictFull) == EVICTABLE) {
                        remove(entry);
                        return null;
                    }
                }
            }
            return present;
        });
        if (kept == null && evictFull) {
            log.fullEvicted();
        }
    }

    /**
     * Returns the level of an entry that must not be evicted now, and moves it to the end of this level; returns
     * {@link #EVICTABLE} for others.
     */
    private int levelIfKept(CacheEntry entry, boolean evictFull) {
        synchronized (entry) {
            if (entry.removed()) {
                return 0;
            }
            int level = entry.windows().level(clock.micros(), Math.min(entry.level() + 1, StoredWindow.FULL));
            if (level <= entry.level() && (level < StoredWindow.FULL || evictFull)) {
                return EVICTABLE;
            }
            entry.count(clock);
            entry.queue().move(entry, level);
            return level;
        }
    }

    /**
     * Moves one of the entries above another one to the level that it has by now: units may have left its windows. Returns whether
     * it is below the other one now.
     */
    private boolean demoteOne(EvictionQueue<CacheEntry> queue, CacheEntry other) {
        int level = other.level();
        var entry = queue.firstAbove(level);
        if (entry == null) {
            return false;
        }
        synchronized (entry) {
            if (entry.removed()) {
                return false;
            }
            int now = entry.windows().level(clock.micros(), entry.level());
            entry.count(clock);
            queue.move(entry, now);
            return now < level;
        }
    }

    /** Returns the approximate number of bytes in use. */
    long bytes() {
        entries.cleanUp();
        while (queueWithoutMemory() != null) {
            evict();
        }
        return callers.bytes() + others.bytes();
    }
}
