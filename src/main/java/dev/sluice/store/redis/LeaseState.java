package dev.sluice.store.redis;

/**
 * Result of an operation on a lease.
 *
 * @param done whether it was done: there was a free slot, or there is such a lease
 * @param now time of the operation, in microseconds since 1970
 * @param held slots that are held after it
 */
public record LeaseState(boolean done, long now, long held) {
}
