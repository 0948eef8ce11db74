package dev.sluice.interceptor;

import java.util.function.UnaryOperator;

import dev.sluice.api.RateLimited;
import dev.sluice.api.ResourceCheck;

/** One {@link RateLimited}, read. */
final class AnnotatedLimit {

    private final ResourceCheck demand;
    private final KeyTemplate key;

    /** @param key null where there is none: the caller is counted */
    AnnotatedLimit(ResourceCheck demand, KeyTemplate key) {
        this.demand = demand;
        this.key = key;
    }

    ResourceCheck demand() {
        return demand;
    }

    String identifier(String caller, UnaryOperator<String> values) {
        return key == null ? caller : key.identifier(values);
    }
}
