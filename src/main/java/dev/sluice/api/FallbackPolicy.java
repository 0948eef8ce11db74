package dev.sluice.api;

import java.util.Arrays;
import java.util.Optional;

/** Policy for requests while Redis is unavailable. */
public enum FallbackPolicy {
    /** Decides in the memory of this instance, with the instance's share of each limit. */
    LOCAL,
    /** Allows every request without counting it (fail-open). */
    OPEN,
    /** Rejects every request with {@link StoreUnavailableException}, HTTP status 503 (fail-closed). */
    CLOSED;

    /** The names that {@link #fromName} accepts, for error messages. */
    public static final String ALLOWED_VALUES = "local, open or closed";

    /**
     * Finds a policy by name.
     *
     * @param name name in any case; surrounding whitespace is ignored
     * @return the policy; empty if there is none of this name
     */
    public static Optional<FallbackPolicy> fromName(String name) {
        return Arrays.stream(values()).filter(fallback -> fallback.name().equalsIgnoreCase(name.strip())).findFirst();
    }
}
