package dev.sluice.directory.cache;

/**
 * Stored key. Immutable.
 *
 * @param id its id
 * @param identifier identifier that its requests are counted for: that of its user or, without one, its own
 * @param caller caller of requests with the key
 * @param disabled whether it or its user is disabled
 * @param expiresAt time from which on the text of the key is not valid, in milliseconds since 1970; {@link Long#MAX_VALUE} for never
 */
public record ResolvedKey(String id, String identifier, ResolvedCaller caller, boolean disabled, long expiresAt) {

    /**
     * Returns whether requests with the key are permitted.
     *
     * @param now time in milliseconds since 1970
     */
    public boolean isValid(long now) {
        return !disabled && now < expiresAt;
    }
}
