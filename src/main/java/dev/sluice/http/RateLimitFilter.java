package dev.sluice.http;

import jakarta.inject.Singleton;
import jakarta.ws.rs.Priorities;
import jakarta.ws.rs.container.ContainerResponseContext;
import jakarta.ws.rs.container.ResourceInfo;
import jakarta.ws.rs.core.UriInfo;

import org.jboss.resteasy.reactive.server.ServerRequestFilter;
import org.jboss.resteasy.reactive.server.ServerResponseFilter;
import org.jboss.resteasy.reactive.server.spi.ResteasyReactiveContainerRequestContext;

import dev.sluice.interceptor.DecidedMarker;
import dev.sluice.interceptor.RateLimitedMethods;
import io.vertx.ext.web.RoutingContext;

/**
 * Limits the JAX-RS resources of the application. The rules of the path and the annotations of the method are decided
 * together.
 */
@Singleton
public class RateLimitFilter {

    private final RequestRateLimiter limiter;
    private final RateLimitedMethods methods;
    private final ClassValue<Boolean> serviceEndpoints = new ClassValue<>() {
        @Override
        protected Boolean computeValue(Class<?> type) {
            return type.isAnnotationPresent(ServiceEndpoint.class);
        }
    };

    RateLimitFilter(RequestRateLimiter limiter, RateLimitedMethods methods) {
        this.limiter = limiter;
        this.methods = methods;
    }

    @ServerRequestFilter(priority = Priorities.AUTHORIZATION + 500, nonBlocking = true)
    public void filter(ResteasyReactiveContainerRequestContext context, ResourceInfo resource,
            RoutingContext request) {
        var type = resource.getResourceClass();
        if (serviceEndpoints.get(type)) {
            return;
        }
        var method = resource.getResourceMethod();
        var limits = methods.of(type, method);
        var suspended = new SuspendedRequest(context, result -> {
            if (result.isDenied()) {
                context.abortWith(result.error().toResponse(request));
            } else if (!limits.isEmpty()) {
                DecidedMarker.mark(request, method);
            }
        });
        limiter.admit(request, limits, name -> parameter(context.getUriInfo(), name), suspended::onResult,
                suspended::onFailure);
        suspended.admissionRequested();
    }

    /**
     * Settles what depends on the response, after all other filters: RESTEasy writes status and headers when Vert.x has already called
     * the handlers of the head that were added here.
     */
    @ServerResponseFilter(priority = Integer.MIN_VALUE)
    public void settle(ContainerResponseContext response, RoutingContext request) {
        var answer = PendingAnswer.of(request);
        if (answer != null) {
            answer.onAnswer(response);
        }
    }

    /** Returns the path parameter of this name, else the query parameter, else an empty string. */
    private static String parameter(UriInfo uri, String name) {
        var value = uri.getPathParameters().getFirst(name);
        value = value == null ? uri.getQueryParameters().getFirst(name) : value;
        return value == null ? "" : value;
    }
}
