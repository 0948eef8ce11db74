package dev.sluice.interceptor;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletionStage;

import jakarta.interceptor.InvocationContext;

import io.quarkus.arc.ClientProxy;
import io.quarkus.runtime.BlockingOperationControl;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;

/** Has an intercepted method wait for a {@link InvocationGuard}, in the way that its return type can. */
public final class GuardedInvocation<A> {

    /** What guards ask bounds itself; this bounds whatever a host's resolver of identities does. */
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final String NOTHING = "The method returned null";

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
     * Waits, runs the method, and tells the guard.
     *
     * @param annotation for messages: {@code @RateLimited}
     */
    public static <A> Object run(String annotation, InvocationContext call, InvocationGuard<A> guard) throws Exception {
        return new GuardedInvocation<>(annotation, call, guard).run();
    }

    /** The class as it was written: the container's subclass is not. */
    public static Class<?> beanClass(InvocationContext call) {
        var type = ClientProxy.unwrap(call.getTarget()).getClass();
        return type.getName().endsWith("_Subclass") ? type.getSuperclass() : type;
    }

    private Object run() throws Exception {
        var type = call.getMethod().getReturnType();
        if (type == Uni.class) {
            return Uni.createFrom().deferred(() -> ready().chain(this::uni));
        }
        if (type == Multi.class) {
            return Multi.createFrom().deferred(() -> ready().onItem().transformToMulti(this::multi));
        }
        if (CompletionStage.class.isAssignableFrom(type)) {
            return ready().chain(this::stage).subscribeAsCompletionStage();
        }
        if (!BlockingOperationControl.isBlockingAllowed()) {
            var method = call.getMethod();
            throw new IllegalStateException(annotation + " on " + method.getDeclaringClass().getName() + '.' + method.getName()
                    + " cannot wait for its decision: it returns " + type.getSimpleName() + " and was called on an event loop."
                    + " Return Uni<" + type.getSimpleName() + ">, or call it on a worker thread (@Blocking) or a virtual"
                    + " thread (@RunOnVirtualThread)");
        }
        return blocking(admission.await().atMost(PATIENCE));
    }

    /** Where the thread may wait it does, so that the call goes ahead on it; elsewhere the call goes ahead when decided. */
    private Uni<A> ready() {
        return BlockingOperationControl.isBlockingAllowed()
                ? Uni.createFrom().item(() -> admission.await().atMost(PATIENCE))
                : admission;
    }

    private Object blocking(A admitted) throws Exception {
        Object answer;
        try {
            answer = guard.run(admitted, call::proceed);
        } catch (Throwable e) {
            try {
                guard.onFailure(admitted);
            } catch (RuntimeException | Error again) {
                e.addSuppressed(again);
            }
            throw e;
        }
        guard.onSuccess(admitted);
        return answer;
    }

    private Uni<?> uni(A admitted) {
        Uni<?> answer;
        try {
            answer = (Uni<?>) guard.run(admitted, call::proceed);
            Objects.requireNonNull(answer, NOTHING);
        } catch (Throwable e) { // an Error too gives back what the guard has reserved
            answer = Uni.createFrom().failure(e);
        }
        return answer.onTermination().invoke((item, failure, cancelled) -> tell(admitted, failure, cancelled));
    }

    private Multi<?> multi(A admitted) {
        Multi<?> answer;
        try {
            answer = (Multi<?>) guard.run(admitted, call::proceed);
            Objects.requireNonNull(answer, NOTHING);
        } catch (Throwable e) {
            answer = Multi.createFrom().failure(e);
        }
        return answer.onTermination().invoke((failure, cancelled) -> tell(admitted, failure, cancelled));
    }

    private Uni<?> stage(A admitted) {
        Uni<?> answer;
        try {
            answer = Uni.createFrom().completionStage((CompletionStage<?>) guard.run(admitted, call::proceed));
        } catch (Throwable e) {
            answer = Uni.createFrom().failure(e);
        }
        return answer.onTermination().invoke((item, failure, cancelled) -> tell(admitted, failure, cancelled));
    }

    private void tell(A admitted, Throwable failure, boolean cancelled) {
        if (cancelled) {
            guard.onCancellation(admitted);
        } else if (failure != null) {
            guard.onFailure(admitted);
        } else {
            guard.onSuccess(admitted);
        }
    }
}
