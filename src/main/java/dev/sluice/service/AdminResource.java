package dev.sluice.service;

import java.time.Duration;
import java.util.TreeMap;

import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;

import org.jboss.resteasy.reactive.RestQuery;

import dev.sluice.http.ErrorAnswer;
import dev.sluice.http.OwnDoor;
import dev.sluice.limit.Names;
import dev.sluice.limit.Quota;
import dev.sluice.limit.RateLimiter;
import dev.sluice.window.StoreStatus;
import io.smallrye.mutiny.Uni;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;

/** What operators ask and forget. */
@OwnDoor
@Path("/v1")
@Produces({ErrorAnswer.JSON, ErrorAnswer.PROBLEM, MediaType.WILDCARD})
public class AdminResource {

    private final RateLimiter limiter;
    private final StoreStatus store;
    private final Doors doors;

    AdminResource(RateLimiter limiter, StoreStatus store, Doors doors) {
        this.limiter = limiter;
        this.store = store;
        this.doors = doors;
    }

    /** What one window holds. */
    @GET
    @Path("/usage")
    public Uni<Response> usage(@RestQuery String identifier, @RestQuery String resource,
            @RestQuery("window_seconds") String seconds, RoutingContext context) {
        return doors.admin(context, () -> {
            var window = Duration.ofSeconds(seconds(seconds));
            return limiter.usage(name("identifier", identifier), name("resource", resource), window)
                    .map(usage -> ok(context, new JsonObject().put("identifier", identifier).put("resource", resource)
                            .put("current", usage.current()).put("window_start", usage.start().getEpochSecond())
                            .put("window_end", usage.end().getEpochSecond())));
        });
    }

    /** What an identifier has used of everything. */
    @GET
    @Path("/limits")
    public Uni<Response> limits(@RestQuery String identifier, RoutingContext context) {
        return doors.admin(context, () -> limiter.limits(name("identifier", identifier)).map(limits -> {
            var byResource = new JsonObject();
            new TreeMap<>(limits).forEach(byResource::put);
            return ok(context, new JsonObject().put("identifier", identifier).put("limits", byResource));
        }));
    }

    /** Forgets what was counted. */
    @DELETE
    @Path("/limits")
    public Uni<Response> reset(@RestQuery String identifier, @RestQuery String resource, @RestQuery String all,
            RoutingContext context) {
        return doors.admin(context, () -> forget(identifier, resource, all).map(done -> Response.noContent().build()));
    }

    private Uni<Void> forget(String identifier, String resource, String all) {
        if (all == null) {
            name("identifier", identifier);
            return resource == null ? limiter.reset(identifier) : limiter.reset(identifier, name("resource", resource));
        }
        if (!"true".equals(all)) {
            throw BadRequest.field("all", "all can only be true");
        }
        if (identifier != null || resource != null) {
            throw BadRequest.field("all", "all=true stands alone, without identifier and resource");
        }
        return limiter.resetAll();
    }

    private Response ok(RoutingContext context, JsonObject body) {
        if (store.mode().outage()) {
            context.response().putHeader(dev.sluice.http.RateLimitHeaders.MODE, store.mode().text());
        }
        return Answers.ok(body);
    }

    private static String name(String field, String value) {
        if (!Names.valid(value)) {
            throw BadRequest.field(field, field + (value == null
                    ? " is missing"
                    : " must have 1 to " + Names.MAX_LENGTH + " characters and no unpaired surrogate"));
        }
        return value;
    }

    private static long seconds(String text) {
        try {
            long seconds = Long.parseLong(text);
            if (seconds >= 1 && seconds <= Quota.MAX_WINDOW.toSeconds()) {
                return seconds;
            }
        } catch (NumberFormatException e) {
            // told of below, like a number out of range
        }
        throw BadRequest.field("window_seconds",
                "window_seconds must be a whole number from 1 to " + Quota.MAX_WINDOW.toSeconds());
    }
}
