package dev.sluice.directory.cache;

/** Entry of the cache, with the time of its last confirmation. Thread-safe. */
abstract class CachedEntry {

    private volatile Confirmation confirmation;
    private volatile long readAt;
    private volatile long readRevision;
    /** Set once: the identity has changed, or a change would not be noticed any more. */
    private volatile boolean invalid;

    /** @param read position at which it was read */
    CachedEntry(Confirmation confirmation, Position read) {
        renew(confirmation, read);
    }

    /** The same was read again. */
    final void renew(Confirmation current, Position read) {
        readAt = read.sentAt();
        readRevision = read.revision();
        confirmation = current;
    }

    /** Returns whether a change was made after the entry was read. */
    final boolean isBefore(long changeRevision) {
        return readRevision < changeRevision;
    }

    final void invalidate() {
        invalid = true;
    }

    /** Returns whether the entry must not be used any more, whatever the state of Redis. */
    boolean isInvalid() {
        return invalid;
    }

    final long readAt() {
        return readAt;
    }

    final boolean isObserved(Confirmation current) {
        return confirmation == current;
    }

    /** Returns the time at which the entry was last known to be current. */
    final long confirmedAt() {
        long observed = confirmation.at();
        long read = readAt;
        return observed - read > 0 ? observed : read;
    }
}
