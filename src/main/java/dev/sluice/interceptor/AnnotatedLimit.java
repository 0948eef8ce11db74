package dev.sluice.interceptor;

import java.util.function.UnaryOperator;

import dev.sluice.api.RateLimited;
import dev.sluice.api.ResourceCheck;

/** One parsed {@link RateLimited} annotation. */
final class AnnotatedLimit {

    private final ResourceCheck check;
    private final KeyTemplate key;

    /** @param key template of the identifier; null to count the caller */
    AnnotatedLimit(ResourceCheck check, KeyTemplate key) {
        this.check = check;
        this.key = key;
    }

    ResourceCheck check() {
        return check;
    }

    String identifier(String caller, UnaryOperator<String> placeholders) {
        return key == null ? caller : key.identifier(placeholders);
    }
}
