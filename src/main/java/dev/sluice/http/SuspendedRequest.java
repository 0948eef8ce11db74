package dev.sluice.http;

import java.util.function.Consumer;

import org.jboss.resteasy.reactive.server.spi.ResteasyReactiveContainerRequestContext;

/** Lets a JAX-RS request wait for its admission, where that is not there at once. */
final class SuspendedRequest {

    private final ResteasyReactiveContainerRequestContext context;
    private final Consumer<AdmissionResult> act;
    private boolean admissionRequested;
    private boolean over;
    private RuntimeException failure;

    /** @param act what is to be done with the admission, before the request goes on */
    SuspendedRequest(ResteasyReactiveContainerRequestContext context, Consumer<AdmissionResult> act) {
        this.context = context;
        this.act = act;
    }

    /** The admission is asked for. */
    void admissionRequested() {
        RuntimeException failed;
        synchronized (this) {
            admissionRequested = true;
            if (!over) {
                context.suspend();
            }
            failed = failure;
        }
        if (failed != null) {
            throw failed;
        }
    }

    void onResult(AdmissionResult admission) {
        try {
            act.accept(admission);
        } catch (RuntimeException e) {
            end(e);
            return;
        }
        end(null);
    }

    void onFailure(Throwable cause) {
        end(cause instanceof RuntimeException e ? e : new IllegalStateException(cause));
    }

    /** @param cause null where the request may go on */
    private void end(RuntimeException cause) {
        synchronized (this) {
            over = true;
            failure = cause;
            if (!admissionRequested) {
                return; // who has asked goes on itself
            }
        }
        if (cause == null) {
            context.resume();
        } else {
            context.resume(cause);
        }
    }
}
