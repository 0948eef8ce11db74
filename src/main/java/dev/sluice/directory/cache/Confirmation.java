package dev.sluice.directory.cache;

/**
 * Time at which all entries read in one uninterrupted observation of the stream of changes were last known to be current. After
 * changes may have been missed, a new observation begins, and entries of earlier ones keep the time of theirs. Thread-safe.
 */
final class Confirmation {

    private volatile long at;

    /** @param at time of the clock of {@link IdentityCache}, in nanoseconds */
    Confirmation(long at) {
        this.at = at;
    }

    /** Sets the time: the stream was read completely by a call that was sent then. */
    void renew(long sentAt) {
        at = sentAt;
    }

    long at() {
        return at;
    }
}
