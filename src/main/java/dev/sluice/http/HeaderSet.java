package dev.sluice.http;

import java.util.Arrays;
import java.util.Optional;

/** The values of {@code rate-limit.headers}: which response headers report a decision. */
enum HeaderSet {
    /** Both of the others. */
    ALL(true, true),
    /** {@code RateLimit} and {@code RateLimit-Policy}, of draft-ietf-httpapi-ratelimit-headers-10. */
    STANDARD(true, false),
    /** {@code X-RateLimit-Limit}, {@code X-RateLimit-Remaining} and {@code X-RateLimit-Reset}. */
    LEGACY(false, true),
    /** Neither. */
    NONE(false, false);

    /** The values that {@link #of} accepts, for error messages. */
    static final String ALLOWED = "all, standard, legacy or none";

    private final boolean standard;
    private final boolean legacy;

    HeaderSet(boolean standard, boolean legacy) {
        this.standard = standard;
        this.legacy = legacy;
    }

    boolean standard() {
        return standard;
    }

    boolean legacy() {
        return legacy;
    }

    /** The set of this name, in any case; empty where there is none. */
    static Optional<HeaderSet> of(String name) {
        return Arrays.stream(values()).filter(set -> set.name().equalsIgnoreCase(name.strip())).findFirst();
    }
}
