package dev.sluice.store;

/**
 * Identifies one of an identifier's windows.
 *
 * @param span the window's length in microseconds
 */
public record WindowKey(String resource, long span) {

    public static WindowKey of(WindowClaim claim) {
        return new WindowKey(claim.resource(), claim.span());
    }
}
