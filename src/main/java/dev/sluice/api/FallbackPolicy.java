package dev.sluice.api;

import java.util.Arrays;
import java.util.Optional;

/** What answers while Redis is out of reach. */
public enum FallbackPolicy {
    /** Windows in this instance's memory, each under this instance's part of the limit. */
    LOCAL,
    /** Everything passes, and is not counted. */
    OPEN,
    /** Everything is refused with 503. */
    CLOSED;

    /** What {@link #fromName} knows, for error messages. */
    public static final String ALLOWED_VALUES = "local, open or closed";

    /** The one of this name, in any case; empty where there is none. */
    public static Optional<FallbackPolicy> fromName(String name) {
        return Arrays.stream(values()).filter(fallback -> fallback.name().equalsIgnoreCase(name.strip())).findFirst();
    }
}
