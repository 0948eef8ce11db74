package dev.sluice.window;

/**
 * Which of an identifier's windows.
 *
 * @param span its length in microseconds
 */
record WindowKey(String resource, long span) {

    static WindowKey of(Claim claim) {
        return new WindowKey(claim.resource(), claim.span());
    }
}
