package dev.sluice.window;

import java.util.List;

/** Hears what Redis granted, in the order in which it did. */
@FunctionalInterface
interface GrantRecorder {

    GrantRecorder NONE = (identifier, claims, granted, reservation, times) -> {
    };

    /** @param times how many requests were granted the same, at the same time */
    void granted(String identifier, List<Claim> claims, Outcome granted, String reservation, int times);
}
