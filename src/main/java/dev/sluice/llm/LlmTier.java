package dev.sluice.llm;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Marks the parameter of an {@link LlmRateLimited} method that contains the caller's tier. The value is converted with
 * {@code toString()}; an unknown tier is treated as the first configured one. If the value is null or blank, the caller's
 * own tier applies.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.PARAMETER)
public @interface LlmTier {
}
