package dev.sluice.store;

import dev.sluice.api.ConcurrencySlot;

/**
 * Result of a decision on a list of claims. Times are microseconds since 1970.
 *
 * @param admitted whether all claims fit
 * @param now the time of the decision by the store's clock; it is in the calendar periods that were decided, so that
 *        {@link ClaimPlan#at} returns the claims that were decided
 * @param windows state of each claim's window, in the order of the claims
 * @param slot the slots of requests in flight that were taken
 */
public record StoreResult(boolean admitted, long now, WindowState[] windows, ConcurrencySlot slot) {

    /** Creates a result that holds no slots. */
    public StoreResult(boolean admitted, long now, WindowState[] windows) {
        this(admitted, now, windows, ConcurrencySlot.NONE);
    }

    /** Returns a copy that holds slots. */
    public StoreResult with(ConcurrencySlot held) {
        return new StoreResult(admitted, now, windows, held);
    }

    /** {@link WindowState#retryAt()} for a cost that is larger than the limit. */
    public static final long NEVER = -1;

    /**
     * State of one window, or of the slots of requests in flight.
     *
     * @param used units in the window after the decision, or slots that are held
     * @param freeAt when the next unit leaves the window; 0 if none is used. Of slots in Redis, the number of the last one that was
     *        granted to this instance
     * @param retryAt when the denied cost fits; 0 if it was not denied, {@link StoreResult#NEVER} if it never fits
     */
    public record WindowState(long used, long freeAt, long retryAt) {
    }
}
