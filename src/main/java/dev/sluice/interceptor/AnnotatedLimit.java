package dev.sluice.interceptor;

import java.util.List;
import java.util.function.UnaryOperator;

import dev.sluice.api.RateLimited;
import dev.sluice.api.ResourceCheck;
import dev.sluice.policy.key.KeySource;

/** One parsed {@link RateLimited} or {@link dev.sluice.api.ConcurrencyLimited} annotation. */
final class AnnotatedLimit {

    /** Returns the identifiers whose windows an invocation counts in. */
    @FunctionalInterface
    interface Identifiers {

        /** @param placeholders resolves the placeholders of a template */
        List<String> of(KeySource source, UnaryOperator<String> placeholders);
    }

    private final ResourceCheck check;
    private final Identifiers identifiers;

    AnnotatedLimit(ResourceCheck check, Identifiers identifiers) {
        this.check = check;
        this.identifiers = identifiers;
    }

    ResourceCheck check() {
        return check;
    }

    List<String> identifiers(KeySource source, UnaryOperator<String> placeholders) {
        return identifiers.of(source, placeholders);
    }
}
