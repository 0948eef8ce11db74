package dev.sluice.llm;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Marks the parameter of an {@link LlmRateLimited} method that contains the name of the user to count the call for. The
 * value is converted with {@code toString()} and counted as {@code user:<name>}. If it is null or blank, the caller is
 * determined as without the parameter.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.PARAMETER)
public @interface LlmUser {
}
