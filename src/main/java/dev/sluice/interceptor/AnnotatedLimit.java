package dev.sluice.interceptor;

import java.util.function.UnaryOperator;

import dev.sluice.api.RateLimited;
import dev.sluice.api.ResourceCheck;

/** One {@link RateLimited}, read. */
final class AnnotatedLimit {

    private final ResourceCheck check;
    private final KeyTemplate key;

    /** @param key null where there is none: the caller is counted */
    AnnotatedLimit(ResourceCheck demand, KeyTemplate key) {
        this.check = demand;
        this.key = key;
    }

    ResourceCheck check() {
        return check;
    }

    String identifier(String caller, UnaryOperator<String> values) {
        return key == null ? caller : key.identifier(values);
    }
}
