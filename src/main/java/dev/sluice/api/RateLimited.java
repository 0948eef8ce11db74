package dev.sluice.api;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Repeatable;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

import jakarta.enterprise.util.Nonbinding;
import jakarta.interceptor.InterceptorBinding;

/**
 * Limits how often each caller may invoke a method.
 * <p>
 * An invocation counts when it is let ahead; a refused one counts nothing and throws
 * {@link dev.sluice.api.RateLimitExceededException}. A {@code Uni} or {@code Multi} counts once per subscription, not when
 * it is made. Several annotations on one method, and several rates joined by {@code ;}, must all hold; on a class, join rates
 * by {@code ;} instead of repeating the annotation. One on a method takes the place of its class's.
 * <p>
 * The caller is that of the HTTP request in progress. Outside of one, all calls share the identifier {@code app:} and the
 * application's name. On a JAX-RS method the request filter decides this annotation together with the endpoint's row: it adds
 * to a named row and takes the place of the default row.
 * <p>
 * Return types: {@code Uni}, {@code Multi}, {@code CompletionStage} and {@code CompletableFuture} wait without blocking. Any
 * other waits, on a worker or virtual thread, at most {@code rate-limit.timeout} for Redis; on an event loop it cannot, and
 * fails with an {@link IllegalStateException} that says so. {@code rate-limit.fallback} says what happens without Redis.
 * <p>
 * A rate that cannot be read stops the application's start.
 */
@InterceptorBinding
@Inherited
@Documented
@Repeatable(RateLimited.List.class)
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.METHOD, ElementType.TYPE})
public @interface RateLimited {

    /**
     * The rate, as {@link dev.sluice.api.Rate#parse} reads it: {@code 5/minute}, {@code 10/second;1000/hour}. May contain
     * configuration expressions: {@code ${reports.limit}}. Either this, or {@link #limit()} and {@link #window()}.
     */
    @Nonbinding
    String value() default "";

    /** Units per {@link #window()}, 1 to 1,000,000,000, in place of {@link #value()}. */
    @Nonbinding
    long limit() default 0;

    /** The window's length in seconds, 1 to 2,678,400 (31 days), where {@link #limit()} is given. */
    @Nonbinding
    long window() default 0;

    /**
     * Names the window; methods with the same name share one. By default {@code full.ClassName.method}. May contain
     * configuration expressions.
     */
    @Nonbinding
    String resource() default "";

    /**
     * Whom to count for, in place of the caller: a text, in which {@code {name}} stands for a value of the call. On a JAX-RS
     * method that is the path or query parameter of that name; elsewhere the method's parameter of that name (compiled with
     * {@code -parameters}) or position ({@code {0}}). The identifier is {@code key:} and the text. Windows of different
     * identifiers are decided one after the other, the caller's first. May contain configuration expressions.
     */
    @Nonbinding
    String key() default "";

    /** Units that one invocation takes, 1 to 1,000,000,000, at most the smallest limit. */
    @Nonbinding
    long cost() default 1;

    /** Holds several. */
    @Documented
    @Inherited
    @Retention(RetentionPolicy.RUNTIME)
    @Target({ElementType.METHOD, ElementType.TYPE})
    @interface List {
        RateLimited[] value();
    }
}
