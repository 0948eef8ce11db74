package dev.sluice.interceptor;

import org.eclipse.microprofile.config.Config;

import io.smallrye.common.expression.Expression;

/** Expands configuration expressions in annotation values: {@code ${reports.limit}}, {@code ${reports.limit:5/minute}}. */
public final class ConfigExpressions {

    private ConfigExpressions() {
    }

    /**
     * Expands the expressions of a text.
     *
     * @throws IllegalArgumentException if a property without a default is missing
     */
    public static String expand(Config config, String text) {
        if (text.indexOf('$') < 0) {
            return text;
        }
        return Expression.compile(text, Expression.Flag.NO_TRIM).evaluate((expression, out) -> {
            var value = config.getOptionalValue(expression.getKey(), String.class);
            if (value.isPresent()) {
                out.append(value.get());
            } else if (expression.hasDefault()) {
                expression.expandDefault();
            } else {
                throw new IllegalArgumentException("configuration property " + expression.getKey() + " is missing");
            }
        });
    }
}
