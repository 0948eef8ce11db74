package dev.sluice.http;

import java.util.function.Consumer;

import org.jboss.resteasy.reactive.server.spi.ResteasyReactiveContainerRequestContext;

/**
 * Suspends a JAX-RS request until its admission completes. A result that arrives before {@link #admissionRequested} is applied
 * without suspending. The callbacks may be called on any thread.
 */
final class SuspendedRequest {

    private final ResteasyReactiveContainerRequestContext context;
    private final Consumer<AdmissionResult> action;
    private boolean admissionRequested;
    private boolean completed;
    private RuntimeException failure;

    /** @param action applied to the result before the request resumes */
    SuspendedRequest(ResteasyReactiveContainerRequestContext context, Consumer<AdmissionResult> action) {
        this.context = context;
        this.action = action;
    }

    /**
     * Suspends the request unless the admission has completed. To be called by the filter, once, after it has requested the
     * admission.
     *
     * @throws RuntimeException the failure, if the admission has failed already
     */
    void admissionRequested() {
        RuntimeException earlierFailure;
        synchronized (this) {
            admissionRequested = true;
            if (!completed) {
                context.suspend();
            }
            earlierFailure = failure;
        }
        if (earlierFailure != null) {
            throw earlierFailure;
        }
    }

    void onResult(AdmissionResult result) {
        try {
            action.accept(result);
        } catch (RuntimeException e) {
            complete(e);
            return;
        }
        complete(null);
    }

    void onFailure(Throwable cause) {
        complete(cause instanceof RuntimeException e ? e : new IllegalStateException(cause));
    }

    /** @param cause the failure; null if the request may proceed */
    private void complete(RuntimeException cause) {
        synchronized (this) {
            completed = true;
            failure = cause;
            if (!admissionRequested) {
                return; // the filter has not returned: the request continues on its thread
            }
        }
        if (cause == null) {
            context.resume();
        } else {
            context.resume(cause);
        }
    }
}
