package dev.sluice.http;

import jakarta.inject.Singleton;
import jakarta.ws.rs.Priorities;
import jakarta.ws.rs.container.ResourceInfo;
import jakarta.ws.rs.core.UriInfo;

import org.jboss.resteasy.reactive.server.ServerRequestFilter;
import org.jboss.resteasy.reactive.server.spi.ResteasyReactiveContainerRequestContext;

import dev.sluice.interceptor.DecidedMarker;
import dev.sluice.interceptor.RateLimitedMethods;
import io.vertx.ext.web.RoutingContext;

/** Limits every JAX-RS resource of the application, by its row and its annotations together. */
@Singleton
public class RateLimitFilter {

    private final RequestRateLimiter turnstile;
    private final RateLimitedMethods methods;
    private final ClassValue<Boolean> ownDoors = new ClassValue<>() {
        @Override
        protected Boolean computeValue(Class<?> type) {
            return type.isAnnotationPresent(ServiceEndpoint.class);
        }
    };

    RateLimitFilter(RequestRateLimiter turnstile, RateLimitedMethods methods) {
        this.turnstile = turnstile;
        this.methods = methods;
    }

    @ServerRequestFilter(priority = Priorities.AUTHORIZATION + 500, nonBlocking = true)
    public void filter(ResteasyReactiveContainerRequestContext context, ResourceInfo resource,
            RoutingContext request) {
        var type = resource.getResourceClass();
        if (ownDoors.get(type)) {
            return;
        }
        var method = resource.getResourceMethod();
        var limits = methods.of(type, method);
        var passage = new SuspendedRequest(context, admission -> {
            if (admission.isDenied()) {
                context.abortWith(admission.error().toResponse(request));
            } else if (!limits.isEmpty()) {
                DecidedMarker.mark(request, method);
            }
        });
        turnstile.admit(request, limits, name -> value(context.getUriInfo(), name), passage::onResult, passage::onFailure);
        passage.admissionRequested();
    }

    private static String value(UriInfo uri, String name) {
        var value = uri.getPathParameters().getFirst(name);
        value = value == null ? uri.getQueryParameters().getFirst(name) : value;
        return value == null ? "" : value;
    }
}
