package dev.sluice.interceptor;

import java.util.List;
import java.util.function.UnaryOperator;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.interceptor.InvocationContext;

import org.eclipse.microprofile.config.inject.ConfigProperty;

import dev.sluice.api.Decision;
import dev.sluice.api.RateLimitExceededException;
import dev.sluice.api.RateLimitRequest;
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

/**
 * Runs the invocations of limited methods: decides all annotations of a method together, unless the request filter has decided them for
 * the current request. An invocation holds its slots until it ends.
 */
@ApplicationScoped
class LimitedInvocations {

    private final RateLimitedMethods methods;
    private final CallbackRateLimiter limiter;
    private final CallerResolver callers;
    private final CurrentVertxRequest currentRequest;
    /** Caller of invocations outside of requests. */
    private final Identity application;

    LimitedInvocations(RateLimitedMethods methods, RateLimiter limiter, CallerResolver callers,
            CurrentVertxRequest currentRequest,
            @ConfigProperty(name = "quarkus.application.name", defaultValue = "application") String application) {
        this.methods = methods;
        this.limiter = CallbackRateLimiter.of(limiter);
        this.callers = callers;
        this.currentRequest = currentRequest;
        this.application = new Identity("app:" + application, Identity.Source.ADDRESS, null);
    }

    /** Returns whether a method has a rate, apart from a limit of invocations in flight. */
    boolean isRateLimited(InvocationContext call) {
        return methods.isRateLimited(GuardedInvocation.beanClass(call), call.getMethod());
    }

    /** @param annotation name of the annotation for error messages */
    Object run(String annotation, InvocationContext call) throws Exception {
        var method = call.getMethod();
        var request = Arc.container().requestContext().isActive() ? currentRequest.getCurrent() : null;
        if (DecidedMarker.consume(request, method)) {
            return call.proceed();
        }
        var limits = methods.of(GuardedInvocation.beanClass(call), method);
        return GuardedInvocation.run(annotation, call, new InvocationGuard<Decision>() {
            @Override
            public Uni<Decision> admit() {
                return LimitedInvocations.this.admit(limits, call, request);
            }

            @Override
            public void onSuccess(Decision decision) {
                decision.slot().release();
            }

            @Override
            public void onFailure(Decision decision) {
                decision.slot().release();
            }
        });
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
        throw new IllegalStateException("Key of a limit of " + call.getMethod().getName() + " has an unknown placeholder {"
                + name + "}");
    }
}
