package dev.sluice.interceptor;

import java.util.List;
import java.util.function.UnaryOperator;

import jakarta.annotation.Priority;
import jakarta.interceptor.AroundInvoke;
import jakarta.interceptor.Interceptor;
import jakarta.interceptor.InvocationContext;

import org.eclipse.microprofile.config.inject.ConfigProperty;

import dev.sluice.api.Decision;
import dev.sluice.api.RateLimitExceededException;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.RateLimited;
import dev.sluice.api.RateLimiter;
import dev.sluice.policy.Caller;
import dev.sluice.policy.CallerResolver;
import io.quarkus.arc.Arc;
import io.quarkus.vertx.http.runtime.CurrentVertxRequest;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;

/** Asks before the call; where the request filter has asked already, it does nothing. */
@RateLimited
@Interceptor
@Priority(Interceptor.Priority.LIBRARY_BEFORE)
class RateLimitedInterceptor {

    private final RateLimitedMethods methods;
    private final RateLimiter limiter;
    private final CallerResolver callers;
    private final CurrentVertxRequest current;
    private final String application;

    RateLimitedInterceptor(RateLimitedMethods methods, RateLimiter limiter, CallerResolver callers, CurrentVertxRequest current,
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
        if (DecidedMarker.consume(request, method)) {
            return call.proceed();
        }
        var limits = methods.of(GuardedInvocation.beanClass(call), method);
        return GuardedInvocation.<Decision>run("@RateLimited", call, () -> admit(limits, call, request));
    }

    private Uni<Decision> admit(MethodLimits limits, InvocationContext call, RoutingContext request) {
        UnaryOperator<String> values = name -> value(call, name);
        if (request == null) {
            return all(limits.requests(application, null, null, List.of(), values));
        }
        return callers.resolve(request).chain(caller -> all(requests(limits, caller, values)));
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
}
