package dev.sluice.store;

/**
 * Which of an identifier's windows.
 *
 * @param span its length in microseconds
 */
public record WindowKey(String resource, long span) {

    public static WindowKey of(WindowClaim claim) {
        return new WindowKey(claim.resource(), claim.span());
    }
}
