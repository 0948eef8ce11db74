package dev.sluice.store.memory;

import dev.sluice.store.MicrosClock;

/**
 * Entry of the {@link IdentifierCache}: the windows of an identifier, and the state of their eviction. Its monitor guards the
 * windows and the state.
 */
final class CacheEntry extends EvictionQueue.Node<CacheEntry> {

    private final String identifier;
    private final IdentifierWindows windows;
    private final EvictionQueue<CacheEntry> queue;
    private long countedBytes;
    private boolean queued;
    private boolean removed;

    CacheEntry(String identifier, IdentifierWindows windows, EvictionQueue<CacheEntry> queue) {
        this.identifier = identifier;
        this.windows = windows;
        this.queue = queue;
    }

    String identifier() {
        return identifier;
    }

    IdentifierWindows windows() {
        return windows;
    }

    EvictionQueue<CacheEntry> queue() {
        return queue;
    }

    /** Returns whether this entry was removed from the cache: usage counted here from now on would be lost. */
    boolean removed() {
        return removed;
    }

    /** Counts the memory of this entry; must be called after each change. Enqueues a new entry. */
    void count(MicrosClock clock) {
        if (removed) {
            return;
        }
        long bytes = identifier.length() + windows.bytes();
        if (bytes != countedBytes) {
            queue.addBytes(bytes - countedBytes);
            countedBytes = bytes;
        }
        if (!queued) {
            queued = true;
            queue.add(this, windows.level(clock.micros(), StoredWindow.FULL));
        }
    }

    /** Must be called while the cache removes this entry. */
    void remove() {
        if (queued && !removed) {
            queue.remove(this);
        }
        queue.addBytes(-countedBytes);
        countedBytes = 0;
        removed = true;
    }
}
