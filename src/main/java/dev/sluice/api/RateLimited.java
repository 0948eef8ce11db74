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
 * An allowed invocation is counted; a denied one is not, and throws {@link RateLimitExceededException}. A {@code Uni} or
 * {@code Multi} counts once per subscription, not when it is created. Several annotations on one method, and several quotas
 * joined by {@code ;}, must all hold. On a class, join quotas by {@code ;} instead of repeating the annotation: it applies to
 * every method, each with a window of its own. An annotation on a method replaces those of its class.
 * <p>
 * The caller is the identity of the current HTTP request. Outside of a request, all invocations share the identifier
 * {@code app:} followed by {@code quarkus.application.name}. On a JAX-RS method, the request filter decides the annotation
 * together with the rules of the endpoint: it is added to a named rule and replaces the default rule.
 * <p>
 * Return types: {@code Uni}, {@code Multi}, {@code CompletionStage} and {@code CompletableFuture} wait without blocking. Methods
 * of other return types block for at most {@code rate-limit.timeout}, so they must run on a worker or virtual thread; on an
 * event loop they throw {@link IllegalStateException}. {@code rate-limit.fallback} defines what happens while Redis is
 * unavailable.
 * <p>
 * An invalid annotation prevents the application from starting.
 */
@InterceptorBinding
@Inherited
@Documented
@Repeatable(RateLimited.List.class)
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.METHOD, ElementType.TYPE})
public @interface RateLimited {

    /**
     * The rate, in the form that {@link Rate#parse(String)} accepts: {@code 5/minute}, {@code 10/second;1000/hour}. May contain
     * configuration expressions: {@code ${reports.limit}}. Exclusive with {@link #limit()}.
     */
    @Nonbinding
    String value() default "";

    /**
     * Units per {@link #window()} or {@link #per()}, from 1 to 1,000,000,000, as an alternative to {@link #value()}.
     */
    @Nonbinding
    long limit() default 0;

    /**
     * Length of the window in seconds, from 1 to 2,678,400 (31 days). Required with {@link #limit()}, unless {@link #per()} is
     * set.
     */
    @Nonbinding
    long window() default 0;

    /**
     * Length of the window with a unit, as an alternative to {@link #window()}: {@code 1m}, {@code 30s}, {@code hour}, at most 31
     * days. The units are those of {@link Rate}. May contain configuration expressions.
     */
    @Nonbinding
    String per() default "";

    /**
     * Name of the resource, 1 to 256 characters; methods with the same name share a window. The default is
     * {@code full.ClassName.method}, or {@code full.ClassName.method(java.lang.String,int)} if another method of that name is
     * limited, too. May contain configuration expressions.
     */
    @Nonbinding
    String resource() default "";

    /**
     * Owner of the windows instead of the caller, in one of two forms. Windows of all identifiers of an invocation are decided
     * together. May contain configuration expressions.
     * <p>
     * Parts of the request as in the key of a rule: {@code caller}, {@code ip}, {@code user}, {@code team}, {@code org},
     * {@code header:X-Tenant}, {@code query:page}, {@code cookie:theme}, {@code claim:tenant} and {@code path:id}, several separated by
     * commas. The identifier is {@code header:x-tenant=acme}. A part that is absent is empty; one that ends in {@code ?} makes the
     * annotation not apply to requests without it. Outside of a request all parts are absent, except {@code caller}.
     * <p>
     * Any other text, or one with {@code {name}}: the identifier is {@code key:} followed by the text, in which {@code {name}} is
     * replaced by a value of the invocation: on a JAX-RS method the path or query parameter of that name, elsewhere the method's
     * parameter of that name (requires compilation with {@code -parameters}) or position ({@code {0}}).
     */
    @Nonbinding
    String key() default "";

    /** Units that one invocation consumes, from 1 to 1,000,000,000 and at most the smallest limit. */
    @Nonbinding
    long cost() default 1;

    /** Container of repeated annotations. */
    @Documented
    @Inherited
    @Retention(RetentionPolicy.RUNTIME)
    @Target({ElementType.METHOD, ElementType.TYPE})
    @interface List {
        /** The repeated annotations. */
        RateLimited[] value();
    }
}
