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
 * Applies a provider's LLM limits (requests, tokens and budget) to a method that calls a language model. Each invocation
 * counts as one call.
 * <p>
 * The limit applies to the method, not to the client it uses. A client that applies the limits itself
 * ({@link dev.sluice.llm.client.LlmRateLimitFilter}, {@link dev.sluice.llm.client.LlmClient}) counts the call a second
 * time.
 * <p>
 * Before the invocation, an estimate of its tokens is reserved. After a successful invocation, the usage reported by
 * {@link dev.sluice.llm.client.LlmCallScope#reportUsage(long, long)} is booked; without a report, the estimate is booked
 * and marked as estimated. If the invocation throws before it has reported any usage, the reservation is released. A
 * cancelled invocation is booked. A denied invocation throws {@link dev.sluice.api.RateLimitExceededException} and does not
 * run.
 * <p>
 * The caller is, in this order: the user in the parameter annotated with {@link LlmUser}; the user bound by
 * {@link dev.sluice.llm.client.LlmCallScope#as}; the caller of the current HTTP request; outside of a request, {@code app:}
 * followed by the application's name. Return types are treated as by {@link dev.sluice.api.RateLimited}.
 */
@InterceptorBinding
@Inherited
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.METHOD, ElementType.TYPE})
public @interface LlmRateLimited {

    /**
     * Returns the provider's id.
     *
     * @return {@code openai}, {@code anthropic} or {@code gemini}; may contain configuration expressions. An unknown
     * provider fails the application's start.
     */
    @Nonbinding
    String value();

    /**
     * Returns the model's name, which selects the model's own rules and its price.
     *
     * @return the name as the provider knows it, or empty for none; may contain configuration expressions, such as
     * {@code ${chat.model}}. Calls without a model have no price: where a budget applies, they are denied unless
     * {@code rate-limit.llm.unpriced=allow}.
     */
    @Nonbinding
    String model() default "";

    /**
     * Returns the expected number of tokens of one invocation, input and output together.
     *
     * @return 0 to 100,000,000; -1, the default, reserves what the user's calls of the model typically use
     */
    @Nonbinding
    long tokens() default -1;
}
