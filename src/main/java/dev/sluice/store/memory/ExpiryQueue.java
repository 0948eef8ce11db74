package dev.sluice.store.memory;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.function.Consumer;

/**
 * Windows of one identifier by their expiry. An expiry that was extended is noticed when the window gets to the head, so that
 * decisions do not update the queue. Not thread-safe.
 */
final class ExpiryQueue {

    private final PriorityQueue<StoredWindow> windows = new PriorityQueue<>(Comparator.comparingLong(StoredWindow::queuedAt));

    ExpiryQueue(Collection<StoredWindow> windows) {
        windows.forEach(this::add);
    }

    void add(StoredWindow window) {
        window.setQueuedAt(window.expiresAt());
        windows.add(window);
    }

    /** Returns the window that expires first; null if there is none. */
    StoredWindow first() {
        var first = windows.peek();
        while (first != null && first.queuedAt() != first.expiresAt()) {
            add(windows.remove());
            first = windows.peek();
        }
        return first;
    }

    void removeExpired(long now, Consumer<StoredWindow> listener) {
        for (var first = first(); first != null && first.expiresAt() <= now; first = first()) {
            listener.accept(windows.remove());
        }
    }

    /** Returns the time at which this many windows have expired. */
    long expiryOf(int number) {
        var removed = new ArrayList<StoredWindow>(number);
        for (int i = 0; i < number; i++) {
            removed.add(first());
            windows.remove();
        }
        windows.addAll(removed);
        return removed.get(number - 1).expiresAt();
    }
}
