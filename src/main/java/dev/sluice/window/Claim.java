package dev.sluice.window;

import dev.sluice.limit.Unit;

/**
 * What a decision asks of one window.
 *
 * @param resource names the window, with the identifier and the length
 * @param span the window's length in microseconds
 * @param limit units per window
 * @param unit what is counted
 * @param cost units asked for
 * @param reserved whether the cost is an estimate, to be settled
 */
record Claim(String resource, long span, long limit, Unit unit, long cost, boolean reserved) {

    /** Whether every single unit's time is kept, or counts of sub-windows. */
    boolean exact(long exactUpTo) {
        return unit == Unit.REQUESTS && !reserved && limit <= exactUpTo;
    }
}
