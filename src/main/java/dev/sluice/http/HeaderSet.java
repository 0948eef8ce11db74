package dev.sluice.http;

import java.util.Arrays;
import java.util.Optional;

/** Values of {@code rate-limit.headers}: the response headers that report a decision. */
enum HeaderSet {
    /** Standard and legacy headers. */
    ALL(true, true),
    /** {@code RateLimit} and {@code RateLimit-Policy} of draft-ietf-httpapi-ratelimit-headers-10. */
    STANDARD(true, false),
    /** {@code X-RateLimit-Limit}, {@code X-RateLimit-Remaining} and {@code X-RateLimit-Reset}. */
    LEGACY(false, true),
    /** No headers. */
    NONE(false, false);

    /** The names that {@link #fromName} accepts, for error messages. */
    static final String ALLOWED_VALUES = "all, standard, legacy or none";

    private final boolean standard;
    private final boolean legacy;

    HeaderSet(boolean standard, boolean legacy) {
        this.standard = standard;
        this.legacy = legacy;
    }

    boolean hasStandard() {
        return standard;
    }

    boolean hasLegacy() {
        return legacy;
    }

    /** Finds a set by name, in any case; empty if there is none of this name. */
    static Optional<HeaderSet> fromName(String name) {
        return Arrays.stream(values()).filter(set -> set.name().equalsIgnoreCase(name.strip())).findFirst();
    }
}
