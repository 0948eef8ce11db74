package dev.sluice.interceptor;

import java.util.concurrent.Callable;

import io.smallrye.mutiny.Uni;

/**
 * Admits the invocations of an intercepted method and is notified of their end.
 *
 * @param <A> type of the admission
 */
@FunctionalInterface
public interface InvocationGuard<A> {

    /**
     * Requests the admission of one invocation, or of one subscription to the result of a reactive method. A failure becomes the
     * result of the method.
     */
    Uni<A> admit();

    /** Runs the method. The work of a reactive method has only started when this returns. */
    default Object run(A admission, Callable<Object> method) throws Exception {
        return method.call();
    }

    /** Called when the method, including the work of a reactive one, has completed. */
    default void onSuccess(A admission) {
    }

    /** Called when the method has failed. */
    default void onFailure(A admission) {
    }

    /** Called when the subscription to the result of a reactive method was cancelled. */
    default void onCancellation(A admission) {
        onFailure(admission);
    }
}
