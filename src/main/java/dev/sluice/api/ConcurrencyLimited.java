package dev.sluice.api;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

import jakarta.enterprise.util.Nonbinding;
import jakarta.interceptor.InterceptorBinding;

/**
 * Limits how many invocations of a method each caller may have in flight, over all instances.
 * <p>
 * An invocation holds its slot until the method has returned, or the {@code Uni}, {@code Multi} or {@code CompletionStage} that it has
 * returned has completed, failed or been cancelled. On a JAX-RS method, the request holds it until its response has ended. An
 * invocation without a free slot throws {@link RateLimitExceededException}. It is decided together with the {@link RateLimited}
 * annotations of the method, and on a JAX-RS method with the rules of the endpoint: all of them are granted, or none is.
 * <p>
 * The caller, the return types and the place of the annotation are those of {@link RateLimited}. An invalid annotation prevents the
 * application from starting.
 */
@InterceptorBinding
@Inherited
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.METHOD, ElementType.TYPE})
public @interface ConcurrencyLimited {

    /** Maximum number of invocations in flight, from 1 to 1,000,000. */
    @Nonbinding
    long value();

    /** Name of the resource, as {@link RateLimited#resource()}. */
    @Nonbinding
    String resource() default "";

    /** Owner of the slots instead of the caller, as {@link RateLimited#key()}. */
    @Nonbinding
    String key() default "";
}
