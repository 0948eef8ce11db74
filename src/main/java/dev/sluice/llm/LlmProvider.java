package dev.sluice.llm;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Says whose models a REST client interface calls, for {@link dev.sluice.llm.client.LlmRateLimitFilter}. It stands on the
 * interface that declares the methods; it is not inherited.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface LlmProvider {

    /** {@code openai}, {@code anthropic} or {@code gemini}. */
    String value();
}
