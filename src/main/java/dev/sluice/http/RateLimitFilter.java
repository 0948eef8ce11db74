package dev.sluice.http;

import jakarta.inject.Singleton;
import jakarta.ws.rs.Priorities;
import jakarta.ws.rs.container.ResourceInfo;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriInfo;

import org.jboss.resteasy.reactive.server.ServerRequestFilter;

import dev.sluice.annotation.Decided;
import dev.sluice.annotation.LimitedMethods;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;

/** Limits every JAX-RS resource of the application, by its row and its annotations together. */
@Singleton
public class RateLimitFilter {

    private final Turnstile turnstile;
    private final LimitedMethods methods;

    RateLimitFilter(Turnstile turnstile, LimitedMethods methods) {
        this.turnstile = turnstile;
        this.methods = methods;
    }

    @ServerRequestFilter(priority = Priorities.AUTHORIZATION + 500, nonBlocking = true)
    public Uni<Response> filter(ResourceInfo resource, UriInfo uri, RoutingContext request) {
        var type = resource.getResourceClass();
        if (type.isAnnotationPresent(OwnDoor.class)) {
            return Uni.createFrom().nullItem();
        }
        var method = resource.getResourceMethod();
        var limits = methods.of(type, method);
        return turnstile.admit(request, limits, name -> value(uri, name)).map(admission -> {
            if (admission.refused()) {
                return admission.refusal().response(request);
            }
            if (!limits.isEmpty()) {
                Decided.note(request, method);
            }
            return null;
        });
    }

    private static String value(UriInfo uri, String name) {
        var value = uri.getPathParameters().getFirst(name);
        value = value == null ? uri.getQueryParameters().getFirst(name) : value;
        return value == null ? "" : value;
    }
}
