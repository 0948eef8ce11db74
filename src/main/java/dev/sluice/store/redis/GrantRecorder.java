package dev.sluice.store.redis;

import java.util.List;

import dev.sluice.store.StoreResult;
import dev.sluice.store.WindowClaim;

/** Listener for grants by Redis, called in the order of the grants. */
@FunctionalInterface
public interface GrantRecorder {

    GrantRecorder NONE = (identifier, claims, granted, reservation, times) -> {
    };

    /** @param count number of requests with this grant at the same time */
    void onGranted(String identifier, List<WindowClaim> claims, StoreResult granted, String reservation, int count);
}
