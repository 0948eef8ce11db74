package dev.sluice.config;

/**
 * Detects changes of something that is polled. A change counts once two consecutive polls have seen the same, so that a file that is
 * still being written is not taken for complete. Not thread-safe.
 *
 * @param <T> the state that is polled; compared by {@code equals}
 */
public final class StableChange<T> {

    private T processed;
    private T candidate;

    /** @param initial the state that has been processed already */
    public StableChange(T initial) {
        processed = initial;
    }

    /**
     * Reports the current state.
     *
     * @param current not null
     * @return whether it is a change that has to be processed; true once for each
     */
    public boolean poll(T current) {
        if (current.equals(processed)) {
            candidate = null;
        } else if (current.equals(candidate)) {
            processed = current;
            candidate = null;
            return true;
        } else {
            candidate = current;
        }
        return false;
    }
}
