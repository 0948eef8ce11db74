package dev.sluice.store.memory;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

import dev.sluice.store.MicrosClock;

/**
 * Update of several entries of an {@link IdentifierCache} with their monitors.
 *
 * @param <T> result of the task
 */
final class JointUpdate<T> {

    /**
     * Result of an update.
     *
     * @param longer entries whose longest window has become longer
     */
    record Result<T>(T value, boolean exceedsBound, List<CacheEntry> longer) {
    }

    private final List<CacheEntry> entries;
    private final Function<List<IdentifierWindows>, T> task;

    /** @param entries the entries, in the order of the task */
    JointUpdate(List<CacheEntry> entries, Function<List<IdentifierWindows>, T> task) {
        this.entries = entries;
        this.task = task;
    }

    /**
     * Enters the monitors and runs the task.
     *
     * @param ordered the entries, in the order in which every update enters monitors
     * @param force also if an entry has been removed from the cache
     * @return empty if an entry has been removed
     */
    Optional<Result<T>> run(List<CacheEntry> ordered, boolean force, MicrosClock clock) {
        if (ordered.isEmpty()) {
            return update(force, clock);
        }
        synchronized (ordered.get(0)) {
            return run(ordered.subList(1, ordered.size()), force, clock);
        }
    }

    private Optional<Result<T>> update(boolean force, MicrosClock clock) {
        if (!force && entries.stream().anyMatch(CacheEntry::removed)) {
            return Optional.empty();
        }
        var spans = entries.stream().mapToLong(entry -> entry.windows().longestSpan()).toArray();
        var value = task.apply(entries.stream().map(CacheEntry::windows).toList());
        boolean exceedsBound = false;
        var longer = new ArrayList<CacheEntry>();
        for (int i = 0; i < spans.length; i++) {
            var windows = entries.get(i).windows();
            exceedsBound |= windows.windows().pollExceeded();
            if (windows.longestSpan() > spans[i]) {
                longer.add(entries.get(i));
            }
            entries.get(i).count(clock);
        }
        return Optional.of(new Result<>(value, exceedsBound, longer));
    }
}
