package dev.sluice.http;

import java.util.function.Consumer;

import org.jboss.resteasy.reactive.server.spi.ResteasyReactiveContainerRequestContext;

/** Lets a JAX-RS request wait for its admission, where that is not there at once. */
final class Passage {

    private final ResteasyReactiveContainerRequestContext context;
    private final Consumer<Admission> act;
    private boolean begun;
    private boolean over;

    /** @param act what is to be done with the admission, before the request goes on */
    Passage(ResteasyReactiveContainerRequestContext context, Consumer<Admission> act) {
        this.context = context;
        this.act = act;
    }

    /** The admission is asked for. */
    synchronized void begun() {
        begun = true;
        if (!over) {
            context.suspend();
        }
    }

    void admitted(Admission admission) {
        try {
            act.accept(admission);
        } catch (RuntimeException e) {
            failed(e);
            return;
        }
        goOn();
    }

    private void goOn() {
        boolean waits;
        synchronized (this) {
            over = true;
            waits = begun;
        }
        if (waits) {
            context.resume();
        }
    }

    void failed(Throwable cause) {
        boolean waits;
        synchronized (this) {
            over = true;
            waits = begun;
        }
        if (waits) {
            context.resume(cause);
        } else if (cause instanceof RuntimeException e) {
            throw e;
        } else {
            throw new IllegalStateException(cause);
        }
    }
}
