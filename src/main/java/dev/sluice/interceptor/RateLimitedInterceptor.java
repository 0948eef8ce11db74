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
import dev.sluice.engine.CallbackRateLimiter;
import dev.sluice.identity.Identity;
import dev.sluice.identity.chain.IdentityChain;
import dev.sluice.policy.Caller;
import dev.sluice.policy.CallerResolver;
import dev.sluice.policy.key.KeySource;
import io.quarkus.arc.Arc;
import io.quarkus.vertx.http.runtime.CurrentVertxRequest;
import io.smallrye.mutiny.Uni;
import io.vertx.core.MultiMap;
import io.vertx.ext.web.RoutingContext;

/** Decides {@link RateLimited} before an invocation, unless the request filter has decided it for the current request. */
@RateLimited
@Interceptor
@Priority(Interceptor.Priority.LIBRARY_BEFORE)
class RateLimitedInterceptor {

    private final RateLimitedMethods methods;
    private final CallbackRateLimiter limiter;
    private final CallerResolver callers;
    private final CurrentVertxRequest currentRequest;
    /** Caller of invocations outside of requests. */
    private final Identity application;

    RateLimitedInterceptor(RateLimitedMethods methods, RateLimiter limiter, CallerResolver callers,
            CurrentVertxRequest currentRequest,
            @ConfigProperty(name = "quarkus.application.name", defaultValue = "application") String application) {
        this.methods = methods;
        this.limiter = CallbackRateLimiter.of(limiter);
        this.callers = callers;
        this.currentRequest = currentRequest;
        this.application = new Identity("app:" + application, Identity.Source.ADDRESS, null);
    }

    @AroundInvoke
    Object around(InvocationContext call) throws Exception {
        var method = call.getMethod();
        var request = Arc.container().requestContext().isActive() ? currentRequest.getCurrent() : null;
        if (DecidedMarker.consume(request, method)) {
            return call.proceed();
        }
        var limits = methods.of(GuardedInvocation.beanClass(call), method);
        return GuardedInvocation.<Decision>run("@RateLimited", call, () -> admit(limits, call, request));
    }

    private Uni<Decision> admit(MethodLimits limits, InvocationContext call, RoutingContext request) {
        UnaryOperator<String> placeholders = name -> argument(call, name);
        if (request == null) {
            var source = new KeySource(MultiMap.caseInsensitiveMultiMap(), null, application, () -> null,
                    name -> List.of(placeholders.apply(name)));
            return checkAll(limits.requests(source, null, placeholders), IdentityChain.NONE);
        }
        return callers.resolve(request).chain(caller -> checkAll(
                limits.requests(source(request, caller, placeholders), caller.tier(), placeholders),
                caller.identity().chain()));
    }

    private KeySource source(RoutingContext context, Caller caller, UnaryOperator<String> placeholders) {
        var request = context.request();
        return new KeySource(request.headers(), request.query(), caller.identity(),
                () -> callers.resolveAddress(context).identity(), name -> List.of(placeholders.apply(name)));
    }

    private Uni<Decision> checkAll(List<RateLimitRequest> requests, IdentityChain chain) {
        return CallbackRateLimiter.checkAll(limiter, requests, chain).invoke(decision -> {
            if (!decision.allowed()) {
                throw new RateLimitExceededException(decision);
            }
        });
    }

    private static String argument(InvocationContext call, String name) {
        var parameters = call.getMethod().getParameters();
        for (int i = 0; i < parameters.length; i++) {
            if (name.equals(Integer.toString(i)) || parameters[i].isNamePresent() && parameters[i].getName().equals(name)) {
                return String.valueOf(call.getParameters()[i]);
            }
        }
        throw new IllegalStateException("@RateLimited key of " + call.getMethod().getName() + " has an unknown placeholder {"
                + name + "}");
    }
}
