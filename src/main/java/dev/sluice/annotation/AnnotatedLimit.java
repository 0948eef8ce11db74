package dev.sluice.annotation;

import java.util.function.UnaryOperator;

import dev.sluice.limit.Demand;

/** One {@link RateLimited}, read. */
final class AnnotatedLimit {

    private final Demand demand;
    private final KeyTemplate key;

    AnnotatedLimit(Demand demand, KeyTemplate key) {
        this.demand = demand;
        this.key = key;
    }

    Demand demand() {
        return demand;
    }

    /** @return null where there is none: the caller is counted */
    KeyTemplate key() {
        return key;
    }

    String identifier(String caller, UnaryOperator<String> values) {
        return key == null ? caller : key.identifier(values);
    }
}
