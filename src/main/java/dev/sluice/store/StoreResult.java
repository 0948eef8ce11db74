package dev.sluice.store;

/**
 * What a store answers to claims. Times are microseconds since 1970.
 *
 * @param admitted whether all claims fit
 * @param now the deciding clock's time
 * @param windows how each claim's window stands, in the order of the claims
 */
public record StoreResult(boolean admitted, long now, WindowState[] windows) {

    /** {@link WindowState#retryAt()} of a cost that is larger than the limit. */
    public static final long NEVER = -1;

    /**
     * @param used units in the window after the decision
     * @param freeAt when the next unit leaves; 0 where none is used
     * @param retryAt when the refused cost fits; 0 where it was not refused, {@link StoreResult#NEVER} where it never does
     */
    public record WindowState(long used, long freeAt, long retryAt) {
    }
}
