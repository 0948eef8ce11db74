package dev.sluice.interceptor;

import org.eclipse.microprofile.config.Config;

import io.smallrye.common.expression.Expression;

/** The texts of annotations may contain configuration expressions: {@code ${reports.limit}}, {@code ${reports.limit:5/minute}}. */
public final class ConfigExpressions {

    private ConfigExpressions() {
    }

    /** @throws IllegalArgumentException where a property that is named is not there */
    public static String expand(Config config, String text) {
        if (text.indexOf('$') < 0) {
            return text;
        }
        return Expression.compile(text, Expression.Flag.NO_TRIM).evaluate((found, out) -> {
            var value = config.getOptionalValue(found.getKey(), String.class);
            if (value.isPresent()) {
                out.append(value.get());
            } else if (found.hasDefault()) {
                found.expandDefault();
            } else {
                throw new IllegalArgumentException("there is no configuration property " + found.getKey());
            }
        });
    }
}
