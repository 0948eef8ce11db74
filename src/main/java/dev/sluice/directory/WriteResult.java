package dev.sluice.directory;

import org.jspecify.annotations.Nullable;

/**
 * Result of a change.
 *
 * @param status outcome
 * @param stored the identity after the change; null if it does not exist, or nothing was changed
 */
public record WriteResult(Status status, @Nullable StoredIdentity stored) {

    /** Outcome of a change. */
    public enum Status {
        /** The change is stored. */
        DONE,
        /** The identity has another revision than expected, or exists already, or does not exist. */
        REVISION_MISMATCH,
        /** A team still has keys, or an organisation teams. */
        IN_USE,
        /** Another key has the same hash. */
        HASH_IN_USE
    }
}
