package dev.sluice.interceptor;

import java.util.concurrent.Callable;

import io.smallrye.mutiny.Uni;

/**
 * Decides whether an intercepted method may run, and hears how it ended.
 *
 * @param <A> what letting it ahead comes to
 */
@FunctionalInterface
public interface InvocationGuard<A> {

    /** Asked once per invocation, or per subscription to a reactive method's answer; a failure becomes the method's. */
    Uni<A> admit();

    /** Runs the method; a reactive one has only begun when it returns. */
    default Object run(A admitted, Callable<Object> method) throws Exception {
        return method.call();
    }

    /** The method, with all that a reactive one had to do, has ended. */
    default void onSuccess(A admitted) {
    }

    default void onFailure(A admitted) {
    }

    /** Nobody waits for the end any more. */
    default void onCancellation(A admitted) {
        onFailure(admitted);
    }
}
