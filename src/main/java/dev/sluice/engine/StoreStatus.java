package dev.sluice.engine;

import dev.sluice.api.DecisionMode;

/** Current state and counters of the window store. */
public interface StoreStatus {

    /** Returns how decisions are made at the moment. */
    DecisionMode mode();

    /**
     * Returns the number of instances that share the limits, this one included; while Redis is unavailable, the last known
     * number.
     */
    int instances();

    /** Returns the number of identifiers whose windows were merged into Redis after outages. */
    long mergedIdentifiers();

    /** Returns the number of Sluice's keys in Redis that held foreign values, which were deleted. */
    long repairedKeys();

    /** Returns the number of denials served from the denial cache. */
    long deniedFromCache();
}
