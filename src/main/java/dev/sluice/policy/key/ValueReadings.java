package dev.sluice.policy.key;

/** Receives the values that servers may read for one name. */
@FunctionalInterface
public interface ValueReadings {

    /**
     * Adds a value.
     *
     * @param exact false if only some servers read the value
     */
    void add(String value, boolean exact);
}
