package dev.sluice.engine;

import dev.sluice.api.DecisionMode;

/** How the windows' store is doing at the moment. */
public interface StoreStatus {

    DecisionMode mode();

    /** How many instances share the limits, this one included; while Redis is out of reach, how many did when it was last seen. */
    int instances();

    /** How many callers' windows were brought to Redis after it had been out of reach. */
    long mergedIdentifiers();

    /** Returns how many keys of Sluice's in Redis held foreign values, which were deleted. */
    long repairedKeys();

    /** How many refusals were answered from memory, because Redis had just made the same. */
    long deniedFromCache();
}
