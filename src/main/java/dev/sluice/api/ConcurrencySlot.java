package dev.sluice.api;

/**
 * The slots that an admitted request holds of its concurrency limits ({@link Rate#concurrency}), all together. They count until they
 * are released, or until the instance that holds them is gone for three seconds; there is no other expiry. Thread-safe.
 */
@FunctionalInterface
public interface ConcurrencySlot {

    /** Slots of a request that holds none. */
    ConcurrencySlot NONE = () -> {
    };

    /** Releases the slots. Only the first call has an effect. Does not block, and never throws. */
    void release();
}
