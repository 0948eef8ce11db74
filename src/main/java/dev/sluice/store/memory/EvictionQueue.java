package dev.sluice.store.memory;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Entries in the order of their eviction: by the level that they had when they were last examined (see
 * {@link WindowTable#level}), entries of one level by the time of this examination. Thread-safe; its lock is held for a few
 * assignments, and never while a decision on a known identifier is made.
 */
final class EvictionQueue<E extends EvictionQueue.Node<E>> {

    private static final int LEVELS = StoredWindow.FULL + 1;

    /** Links of an entry, guarded by the lock of the queue. */
    abstract static class Node<E> {

        private E previous;
        private E next;
        /** Read without the lock too. */
        private volatile int level;

        int level() {
            return level;
        }
    }

    private final AtomicLong bytes = new AtomicLong();
    /** First and last entry of each level; null if it has none. */
    private final List<E> heads = new ArrayList<>(Collections.nCopies(LEVELS, null));
    private final List<E> tails = new ArrayList<>(heads);
    private int lastLevelAbove;

    /** Returns the approximate memory of all entries. */
    long bytes() {
        return bytes.get();
    }

    void addBytes(long change) {
        bytes.addAndGet(change);
    }

    synchronized void add(E entry, int level) {
        link(entry, level);
    }

    synchronized void remove(E entry) {
        unlink(entry);
    }

    /** Moves an entry to the end of a level. */
    synchronized void move(E entry, int level) {
        unlink(entry);
        link(entry, level);
    }

    /** Returns the entry that is to be evicted first; null if there is none. */
    synchronized E first() {
        for (var head : heads) {
            if (head != null) {
                return head;
            }
        }
        return null;
    }

    /** Returns the first entry of a level above this one, of another level with each call; null if there is none. */
    synchronized E firstAbove(int level) {
        for (int i = 1; i <= LEVELS; i++) {
            int candidate = (lastLevelAbove + i) % LEVELS;
            if (candidate > level && heads.get(candidate) != null) {
                lastLevelAbove = candidate;
                return heads.get(candidate);
            }
        }
        return null;
    }

    private void link(E entry, int level) {
        Node<E> node = entry;
        node.level = level;
        node.previous = tails.get(level);
        node.next = null;
        if (node.previous == null) {
            heads.set(level, entry);
        } else {
            ((Node<E>) node.previous).next = entry;
        }
        tails.set(level, entry);
    }

    private void unlink(E entry) {
        Node<E> node = entry;
        if (node.previous == null) {
            heads.set(node.level, node.next);
        } else {
            ((Node<E>) node.previous).next = node.next;
        }
        if (node.next == null) {
            tails.set(node.level, node.previous);
        } else {
            ((Node<E>) node.next).previous = node.previous;
        }
        node.previous = null;
        node.next = null;
    }
}
