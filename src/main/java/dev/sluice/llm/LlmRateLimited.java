package dev.sluice.llm;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

import jakarta.enterprise.util.Nonbinding;
import jakarta.interceptor.InterceptorBinding;

/**
 * Limits a method that calls a language model by the provider's rows: each invocation is one call. Whatever the method uses
 * to call the model, it is not looked at: a client that limits itself ({@link dev.sluice.llm.client.LlmRateLimitFilter},
 * {@link dev.sluice.llm.client.LlmClient}) counts once more.
 * <p>
 * Before the invocation an estimate of its tokens is reserved. When it has succeeded, what the method told by
 * {@link dev.sluice.llm.client.LlmCallScope#used(long, long)} is booked, otherwise the estimate, marked as one. An invocation that
 * throws gives back what was reserved; one that is cancelled is booked. A refused one throws
 * {@link dev.sluice.api.RateLimitExceededException}.
 * <p>
 * The caller is who {@link LlmUser} names; otherwise whom {@link dev.sluice.llm.client.LlmCallScope#as} has bound; otherwise that
 * of the HTTP request in progress; outside of one, {@code app:} and the application's name. Return types are treated as with
 * {@link dev.sluice.api.RateLimited}. A provider that is not known stops the application's start.
 */
@InterceptorBinding
@Inherited
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.METHOD, ElementType.TYPE})
public @interface LlmRateLimited {

    /** {@code openai}, {@code anthropic} or {@code gemini}. May contain configuration expressions. */
    @Nonbinding
    String value();

    /**
     * The model's name, by which its own rows and its price are found. May contain configuration expressions:
     * {@code ${chat.model}}. Without it calls have no price, and where a budget governs, they are refused.
     */
    @Nonbinding
    String model() default "";

    /** About how many tokens one invocation takes, input and output together; by default what the settings estimate. */
    @Nonbinding
    long tokens() default -1;
}
