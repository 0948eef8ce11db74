package dev.sluice.store.redis;

import java.util.List;

import dev.sluice.store.StoreResult;
import dev.sluice.store.WindowClaim;

/** Hears what Redis granted, in the order in which it did. */
@FunctionalInterface
public interface GrantRecorder {

    GrantRecorder NONE = (identifier, claims, granted, reservation, times) -> {
    };

    /** @param count how many requests were granted the same, at the same time */
    void onGranted(String identifier, List<WindowClaim> claims, StoreResult granted, String reservation, int count);
}
