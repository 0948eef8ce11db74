package dev.sluice.llm;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * The parameter of an {@link LlmRateLimited} method that names the user who is counted, as {@code user:<name>}. Where its
 * value is null or blank, the caller is found as if there were no such parameter.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.PARAMETER)
public @interface LlmUser {
}
