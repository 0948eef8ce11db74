package dev.sluice.llm;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Names the LLM provider that a REST client interface calls. {@link dev.sluice.llm.client.LlmRateLimitFilter} requires it
 * on every interface it is registered for.
 * <p>
 * Must be present on the interface that declares the methods; it is not inherited.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface LlmProvider {

    /**
     * Returns the provider's id.
     *
     * @return {@code openai}, {@code anthropic} or {@code gemini}; any other value fails the application's start
     */
    String value();
}
