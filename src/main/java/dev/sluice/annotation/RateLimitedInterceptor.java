package dev.sluice.annotation;

import java.lang.reflect.Method;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.UnaryOperator;

import jakarta.annotation.Priority;
import jakarta.interceptor.AroundInvoke;
import jakarta.interceptor.Interceptor;
import jakarta.interceptor.InvocationContext;

import org.eclipse.microprofile.config.inject.ConfigProperty;

import dev.sluice.limit.Decision;
import dev.sluice.limit.RateLimitExceededException;
import dev.sluice.limit.RateLimitRequest;
import dev.sluice.limit.RateLimiter;
import dev.sluice.policy.Caller;
import dev.sluice.policy.Callers;
import io.quarkus.arc.Arc;
import io.quarkus.arc.ClientProxy;
import io.quarkus.runtime.BlockingOperationControl;
import io.quarkus.vertx.http.runtime.CurrentVertxRequest;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;

/** Asks before the call; where the request filter has asked already, it does nothing. */
@RateLimited
@Interceptor
@Priority(Interceptor.Priority.LIBRARY_BEFORE)
class RateLimitedInterceptor {

    /** The limiter bounds itself; this bounds whatever a host's resolver of identities does. */
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final LimitedMethods methods;
    private final RateLimiter limiter;
    private final Callers callers;
    private final CurrentVertxRequest current;
    private final String application;

    RateLimitedInterceptor(LimitedMethods methods, RateLimiter limiter, Callers callers, CurrentVertxRequest current,
            @ConfigProperty(name = "quarkus.application.name", defaultValue = "application") String application) {
        this.methods = methods;
        this.limiter = limiter;
        this.callers = callers;
        this.current = current;
        this.application = "app:" + application;
    }

    @AroundInvoke
    Object around(InvocationContext call) throws Exception {
        var method = call.getMethod();
        var request = Arc.container().requestContext().isActive() ? current.getCurrent() : null;
        if (Decided.take(request, method)) {
            return call.proceed();
        }
        var limits = methods.of(beanClass(call.getTarget()), method);
        var admission = Uni.createFrom().deferred(() -> admit(limits, call, request));
        var type = method.getReturnType();
        if (type == Uni.class) {
            return Uni.createFrom().deferred(() -> ready(admission).chain(decision -> (Uni<?>) proceed(call)));
        }
        if (type == Multi.class) {
            return Multi.createFrom().deferred(() -> ready(admission).onItem()
                    .transformToMulti(decision -> (Multi<?>) proceed(call)));
        }
        if (CompletionStage.class.isAssignableFrom(type)) {
            return ready(admission).chain(decision -> Uni.createFrom().completionStage((CompletionStage<?>) proceed(call)))
                    .subscribeAsCompletionStage();
        }
        if (!BlockingOperationControl.isBlockingAllowed()) {
            throw new IllegalStateException("@RateLimited on " + method.getDeclaringClass().getName() + '.' + method.getName()
                    + " cannot wait for its decision: it returns " + type.getSimpleName() + " and was called on an event loop."
                    + " Return Uni<" + type.getSimpleName() + ">, or call it on a worker thread (@Blocking) or a virtual"
                    + " thread (@RunOnVirtualThread)");
        }
        admission.await().atMost(PATIENCE);
        return call.proceed();
    }

    /** Where the thread may wait it does, so that the call goes ahead on it; elsewhere the call goes ahead when decided. */
    private static Uni<Decision> ready(Uni<Decision> admission) {
        return BlockingOperationControl.isBlockingAllowed()
                ? Uni.createFrom().item(() -> admission.await().atMost(PATIENCE))
                : admission;
    }

    private Uni<Decision> admit(MethodLimits limits, InvocationContext call, RoutingContext request) {
        UnaryOperator<String> values = name -> value(call, name);
        if (request == null) {
            return all(limits.requests(application, null, null, List.of(), values));
        }
        return callers.of(request).chain(caller -> all(requests(limits, caller, values)));
    }

    private static List<RateLimitRequest> requests(MethodLimits limits, Caller caller, UnaryOperator<String> values) {
        return limits.requests(caller.identity().identifier(), caller.tier(), null, List.of(), values);
    }

    private Uni<Decision> all(List<RateLimitRequest> requests) {
        return limiter.checkAll(requests).invoke(decision -> {
            if (!decision.allowed()) {
                throw new RateLimitExceededException(decision);
            }
        });
    }

    private static String value(InvocationContext call, String name) {
        var parameters = call.getMethod().getParameters();
        for (int i = 0; i < parameters.length; i++) {
            if (name.equals(Integer.toString(i)) || parameters[i].isNamePresent() && parameters[i].getName().equals(name)) {
                return String.valueOf(call.getParameters()[i]);
            }
        }
        throw new IllegalStateException("@RateLimited(key) names a parameter that " + call.getMethod().getName()
                + " does not have: " + name);
    }

    private static Object proceed(InvocationContext call) {
        try {
            return call.proceed();
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            return failed(call.getMethod(), e);
        }
    }

    private static Object failed(Method method, Exception failure) {
        return method.getReturnType() == Uni.class
                ? Uni.createFrom().failure(failure)
                : method.getReturnType() == Multi.class
                        ? Multi.createFrom().failure(failure)
                        : Uni.createFrom().failure(failure).subscribeAsCompletionStage();
    }

    /** The class as it was written: the container's subclass is not. */
    private static Class<?> beanClass(Object target) {
        var type = ClientProxy.unwrap(target).getClass();
        return type.getName().endsWith("_Subclass") ? type.getSuperclass() : type;
    }
}
