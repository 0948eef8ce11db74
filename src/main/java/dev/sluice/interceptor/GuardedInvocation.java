package dev.sluice.interceptor;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletionStage;

import jakarta.interceptor.InvocationContext;

import io.quarkus.arc.ClientProxy;
import io.quarkus.runtime.BlockingOperationControl;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;

/**
 * Runs an intercepted method after its admission by an {@link InvocationGuard}, and notifies the guard of the end. Reactive
 * return types wait without blocking; others block the calling thread.
 *
 * @param <A> type of the admission
 */
public final class GuardedInvocation<A> {

    /** Bounds the identity resolver of an application; decisions have timeouts of their own. */
    private static final Duration ADMISSION_TIMEOUT = Duration.ofSeconds(30);
    private static final String NULL_RESULT = "The method returned null";

    private final String annotation;
    private final InvocationContext call;
    private final InvocationGuard<A> guard;
    private final Uni<A> admission;

    private GuardedInvocation(String annotation, InvocationContext call, InvocationGuard<A> guard) {
        this.annotation = annotation;
        this.call = call;
        this.guard = guard;
        this.admission = Uni.createFrom().deferred(guard::admit);
    }

    /**
     * Runs an invocation under a guard.
     *
     * @param annotation name of the annotation for error messages, for example {@code @RateLimited}
     * @param call the invocation
     * @param guard admits the invocation and is notified of its end
     * @return the result of the method, of its return type
     * @throws IllegalStateException if the method would have to block an event loop
     */
    public static <A> Object run(String annotation, InvocationContext call, InvocationGuard<A> guard) throws Exception {
        return new GuardedInvocation<>(annotation, call, guard).run();
    }

    /** Returns the class of the intercepted bean, not the subclass that the container has generated. */
    public static Class<?> beanClass(InvocationContext call) {
        var type = ClientProxy.unwrap(call.getTarget()).getClass();
        return type.getName().endsWith("_Subclass") ? type.getSuperclass() : type;
    }

    private Object run() throws Exception {
        var type = call.getMethod().getReturnType();
        if (type == Uni.class) {
            return Uni.createFrom().deferred(() -> {
                var run = new Run();
                return run.admission().chain(admitted -> run.start() ? proceedUni(admitted) : Uni.createFrom().nothing())
                        .onCancellation().invoke(run::cancel);
            });
        }
        if (type == Multi.class) {
            return Multi.createFrom().deferred(() -> {
                var run = new Run();
                return run.admission().onItem()
                        .transformToMulti(admitted -> run.start() ? proceedMulti(admitted) : Multi.createFrom().nothing())
                        .onCancellation().invoke(run::cancel);
            });
        }
        if (CompletionStage.class.isAssignableFrom(type)) {
            var run = new Run();
            return run.admission().chain(admitted -> run.start() ? proceedStage(admitted) : Uni.createFrom().nothing())
                    .onCancellation().invoke(run::cancel).subscribeAsCompletionStage();
        }
        if (!BlockingOperationControl.isBlockingAllowed()) {
            var method = call.getMethod();
            throw new IllegalStateException(annotation + " on " + method.getDeclaringClass().getName() + '.' + method.getName()
                    + " cannot wait for its decision: it returns " + type.getSimpleName() + " and was called on an event loop."
                    + " Return Uni<" + type.getSimpleName() + ">, or call it on a worker thread (@Blocking) or a virtual"
                    + " thread (@RunOnVirtualThread)");
        }
        return proceedBlocking(admission.await().atMost(ADMISSION_TIMEOUT));
    }

    /** One subscription to the result of a reactive method. If it is cancelled before the method runs, the guard is told so. */
    private final class Run {

        /** Null if there is no admission of which the guard has to be told. */
        private A admitted;
        private boolean cancelled;

        /** Waits on a thread that may block, so that the method runs on it; otherwise the method runs on the deciding thread. */
        Uni<A> admission() {
            return BlockingOperationControl.isBlockingAllowed()
                    ? Uni.createFrom().item(() -> onAdmission(admission.await().atMost(ADMISSION_TIMEOUT)))
                    : admission.map(this::onAdmission);
        }

        private A onAdmission(A admission) {
            synchronized (this) {
                if (!cancelled) {
                    admitted = admission;
                    return admission;
                }
            }
            guard.onCancellation(admission);
            return admission;
        }

        /** Returns whether the method is to run. From here on, the end of its result tells the guard. */
        synchronized boolean start() {
            admitted = null;
            return !cancelled;
        }

        void cancel() {
            A unused;
            synchronized (this) {
                cancelled = true;
                unused = admitted;
                admitted = null;
            }
            if (unused != null) {
                guard.onCancellation(unused);
            }
        }
    }

    private Object proceedBlocking(A admission) throws Exception {
        Object result;
        try {
            result = guard.run(admission, call::proceed);
        } catch (Throwable e) {
            try {
                guard.onFailure(admission);
            } catch (RuntimeException | Error suppressed) {
                e.addSuppressed(suppressed);
            }
            throw e;
        }
        guard.onSuccess(admission);
        return result;
    }

    private Uni<?> proceedUni(A admission) {
        Uni<?> result;
        try {
            result = (Uni<?>) guard.run(admission, call::proceed);
            Objects.requireNonNull(result, NULL_RESULT);
        } catch (Throwable e) { // an Error, too, must release what the guard has reserved
            result = Uni.createFrom().failure(e);
        }
        return result.onTermination().invoke((item, failure, cancelled) -> notifyGuard(admission, failure, cancelled));
    }

    private Multi<?> proceedMulti(A admission) {
        Multi<?> result;
        try {
            result = (Multi<?>) guard.run(admission, call::proceed);
            Objects.requireNonNull(result, NULL_RESULT);
        } catch (Throwable e) {
            result = Multi.createFrom().failure(e);
        }
        return result.onTermination().invoke((failure, cancelled) -> notifyGuard(admission, failure, cancelled));
    }

    private Uni<?> proceedStage(A admission) {
        Uni<?> result;
        try {
            result = Uni.createFrom().completionStage((CompletionStage<?>) guard.run(admission, call::proceed));
        } catch (Throwable e) {
            result = Uni.createFrom().failure(e);
        }
        return result.onTermination().invoke((item, failure, cancelled) -> notifyGuard(admission, failure, cancelled));
    }

    private void notifyGuard(A admission, Throwable failure, boolean cancelled) {
        if (cancelled) {
            guard.onCancellation(admission);
        } else if (failure != null) {
            guard.onFailure(admission);
        } else {
            guard.onSuccess(admission);
        }
    }
}
