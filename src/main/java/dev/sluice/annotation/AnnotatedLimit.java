package dev.sluice.annotation;

import java.util.function.UnaryOperator;

import dev.sluice.limit.Demand;

/** One {@link RateLimited}, read. */
final class AnnotatedLimit {

    private final Demand demand;
    private final KeyTemplate key;

    /** @param key null where there is none: the caller is counted */
    AnnotatedLimit(Demand demand, KeyTemplate key) {
        this.demand = demand;
        this.key = key;
    }

    Demand demand() {
        return demand;
    }

    String identifier(String caller, UnaryOperator<String> values) {
        return key == null ? caller : key.identifier(values);
    }
}
