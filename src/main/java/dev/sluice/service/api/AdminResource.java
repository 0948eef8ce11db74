package dev.sluice.service.api;

import java.time.Duration;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;

import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.enums.ParameterIn;
import org.eclipse.microprofile.openapi.annotations.enums.SchemaType;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.security.SecurityRequirement;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

import dev.sluice.api.CalendarPeriod;
import dev.sluice.api.Quota;
import dev.sluice.api.RateLimitAdmin;
import dev.sluice.api.WindowUsage;
import dev.sluice.engine.StoreStatus;
import dev.sluice.http.ErrorResponse;
import dev.sluice.http.RateLimitHeaders;
import dev.sluice.http.ServiceEndpoint;
import dev.sluice.service.api.rules.RulesResponse;
import dev.sluice.service.api.rules.RulesView;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;

/** Admin endpoints: query and reset windows. */
@ServiceEndpoint
@Tag(name = "Administration", description = "Usage of identifiers, and resets")
@Path("/v1")
@Produces({ErrorResponse.JSON, ErrorResponse.PROBLEM_JSON, MediaType.WILDCARD})
public class AdminResource {

    private final RateLimitAdmin admin;
    private final StoreStatus store;
    private final EndpointAuthorization authorization;
    private final RulesView rules;

    AdminResource(RateLimitAdmin admin, StoreStatus store, EndpointAuthorization authorization, RulesView rules) {
        this.rules = rules;
        this.admin = admin;
        this.store = store;
        this.authorization = authorization;
    }

    /** Returns the usage of one window. */
    @GET
    @Path("/usage")
    @Parameter(name = "identifier", in = ParameterIn.QUERY, required = true, schema = @Schema(type = SchemaType.STRING, minLength = 1, maxLength = 256), description = "Identifier whose usage is returned")
    @Parameter(name = "resource", in = ParameterIn.QUERY, required = true, schema = @Schema(type = SchemaType.STRING, minLength = 1, maxLength = 256), description = "Resource name")
    @Parameter(name = "window_seconds", in = ParameterIn.QUERY, required = false, schema = @Schema(type = SchemaType.INTEGER, minimum = "1", maximum = "2678400"), description = "Window length in seconds; may be absent if the rule of the resource has one window only")
    @Parameter(name = "period", in = ParameterIn.QUERY, required = false, schema = @Schema(type = SchemaType.STRING, enumeration = {
            "calendar-day", "calendar-week", "calendar-month"}), description = "Calendar period, in place of window_seconds")
    @Operation(operationId = "usage", summary = "Returns the current usage of one window")
    @SecurityRequirement(name = OpenApiDefinition.ADMIN_TOKEN)
    @APIResponse(responseCode = "200", description = "Current usage", content = @Content(mediaType = ErrorResponse.JSON, schema = @Schema(implementation = WindowUsageResponse.class), example = "{\"identifier\":\"user123\",\"resource\":\"custom_operation\",\"current\":3,\"window_start\":1701234507,\"window_end\":1701234567}"))
    @APIResponse(responseCode = "400", ref = OpenApiDefinition.BAD_REQUEST)
    @APIResponse(responseCode = "401", ref = OpenApiDefinition.UNAUTHORIZED)
    @APIResponse(responseCode = "403", ref = OpenApiDefinition.FORBIDDEN)
    @APIResponse(responseCode = "429", ref = OpenApiDefinition.TOO_MANY_REQUESTS)
    @APIResponse(responseCode = "503", ref = OpenApiDefinition.UNAVAILABLE)
    public Uni<Response> usage(@Context RoutingContext context) {
        return authorization.authorizeAdmin(context, () -> {
            QueryParameters.allow(context, "identifier", "resource", "window_seconds", "period");
            var identifier = QueryParameters.name(context, "identifier");
            var resource = QueryParameters.name(context, "resource");
            return usage(context, identifier, resource)
                    .map(usage -> ok(context, WindowUsageResponse.of(usage, rules.hint(identifier, resource))));
        });
    }

    /** Returns the usage of the requested window; without a request, of the only one of the resource's rule. */
    private Uni<WindowUsage> usage(RoutingContext context, String identifier, String resource) {
        var period = QueryParameters.text(context, "period");
        if (period != null) {
            if (QueryParameters.text(context, "window_seconds") != null) {
                throw BadRequestException.forField("period", "period cannot be combined with window_seconds");
            }
            return admin.usage(identifier, resource, Arrays.stream(CalendarPeriod.values())
                    .filter(each -> each.value().equals(period)).findFirst().orElseThrow(() -> BadRequestException
                            .forField("period", "period must be calendar-day, calendar-week or calendar-month")));
        }
        if (QueryParameters.text(context, "window_seconds") == null) {
            var rule = rules.rule(resource);
            if (rule == null && rules.resourceHint(resource) != null) {
                throw BadRequestException.forField("resource", "No rule has this name; " + rules.resourceHint(resource));
            }
            var windows = rule == null ? Set.<Quota>of() : rule.windows();
            if (windows.size() == 1) {
                var window = windows.iterator().next();
                return window.period() == null
                        ? admin.usage(identifier, resource, window.window())
                        : admin.usage(identifier, resource, window.period());
            }
            if (windows.size() > 1) {
                throw BadRequestException.forField("window_seconds", "window_seconds is missing; the rule has windows of "
                        + windows.stream().map(window -> window.period() == null
                                ? Long.toString(window.windowSeconds())
                                : window.period().value())
                                .collect(Collectors.joining(", ")));
            }
        }
        return admin.usage(identifier, resource,
                Duration.ofSeconds(QueryParameters.integer(context, "window_seconds", 1, Quota.MAX_WINDOW.toSeconds())));
    }

    /** Returns the usage of an identifier for every resource. */
    @GET
    @Path("/limits")
    @Parameter(name = "identifier", in = ParameterIn.QUERY, required = true, schema = @Schema(type = SchemaType.STRING, minLength = 1, maxLength = 256), description = "Identifier whose usage is returned")
    @Parameter(name = "resource", in = ParameterIn.QUERY, required = false, schema = @Schema(type = SchemaType.STRING, minLength = 1, maxLength = 256), description = "Resource whose usage is returned; all resources if absent")
    @Operation(operationId = "limits", summary = "Returns the usage of an identifier for every resource, or for one")
    @SecurityRequirement(name = OpenApiDefinition.ADMIN_TOKEN)
    @APIResponse(responseCode = "200", description = "Current usage", content = @Content(mediaType = ErrorResponse.JSON, schema = @Schema(implementation = LimitsResponse.class), example = "{\"identifier\":\"user123\",\"limits\":{\"custom_operation\":1,\"api:/campaigns\":3}}"))
    @APIResponse(responseCode = "400", ref = OpenApiDefinition.BAD_REQUEST)
    @APIResponse(responseCode = "401", ref = OpenApiDefinition.UNAUTHORIZED)
    @APIResponse(responseCode = "403", ref = OpenApiDefinition.FORBIDDEN)
    @APIResponse(responseCode = "429", ref = OpenApiDefinition.TOO_MANY_REQUESTS)
    @APIResponse(responseCode = "503", ref = OpenApiDefinition.UNAVAILABLE)
    public Uni<Response> limits(@Context RoutingContext context) {
        return authorization.authorizeAdmin(context, () -> {
            QueryParameters.allow(context, "identifier", "resource");
            var identifier = QueryParameters.name(context, "identifier");
            var resource = QueryParameters.optionalName(context, "resource");
            return admin.limits(identifier).map(limits -> {
                var used = new TreeMap<>(limits);
                if (resource != null) {
                    used.keySet().retainAll(Set.of(resource));
                }
                return ok(context,
                        new LimitsResponse(identifier, used, used.isEmpty() ? rules.hint(identifier, resource) : null));
            });
        });
    }

    /** Returns the rules in force. */
    @GET
    @Path("/rules")
    @Operation(operationId = "rules", summary = "Returns the rules in force, with where they were set")
    @SecurityRequirement(name = OpenApiDefinition.ADMIN_TOKEN)
    @APIResponse(responseCode = "200", description = "Rules in force on this instance", content = @Content(mediaType = ErrorResponse.JSON, schema = @Schema(implementation = RulesResponse.class)))
    @APIResponse(responseCode = "400", ref = OpenApiDefinition.BAD_REQUEST)
    @APIResponse(responseCode = "401", ref = OpenApiDefinition.UNAUTHORIZED)
    @APIResponse(responseCode = "403", ref = OpenApiDefinition.FORBIDDEN)
    @APIResponse(responseCode = "429", ref = OpenApiDefinition.TOO_MANY_REQUESTS)
    public Uni<Response> rules(@Context RoutingContext context) {
        return authorization.authorizeAdmin(context, () -> {
            QueryParameters.allow(context);
            return Uni.createFrom().item(Response.ok(rules.describe(), ErrorResponse.JSON).build());
        });
    }

    /** Resets windows. */
    @DELETE
    @Path("/limits")
    @Parameter(name = "identifier", in = ParameterIn.QUERY, required = false, schema = @Schema(type = SchemaType.STRING, minLength = 1, maxLength = 256), description = "Identifier whose windows are reset")
    @Parameter(name = "resource", in = ParameterIn.QUERY, required = false, schema = @Schema(type = SchemaType.STRING, minLength = 1, maxLength = 256), description = "Resource whose window is reset; all resources of the identifier if absent")
    @Parameter(name = "all", in = ParameterIn.QUERY, required = false, schema = @Schema(type = SchemaType.BOOLEAN), description = "true resets the windows of all identifiers; cannot be combined with identifier or resource")
    @Operation(operationId = "reset", summary = "Resets the windows of an identifier, of one of its resources, or with all=true of all identifiers")
    @SecurityRequirement(name = OpenApiDefinition.ADMIN_TOKEN)
    @APIResponse(responseCode = "204", description = "Windows reset")
    @APIResponse(responseCode = "400", ref = OpenApiDefinition.BAD_REQUEST)
    @APIResponse(responseCode = "401", ref = OpenApiDefinition.UNAUTHORIZED)
    @APIResponse(responseCode = "403", ref = OpenApiDefinition.FORBIDDEN)
    @APIResponse(responseCode = "429", ref = OpenApiDefinition.TOO_MANY_REQUESTS)
    @APIResponse(responseCode = "503", ref = OpenApiDefinition.UNAVAILABLE)
    public Uni<Response> reset(@Context RoutingContext context) {
        return authorization.authorizeAdmin(context, () -> resetWindows(context).map(done -> Response.noContent().build()));
    }

    private Uni<Void> resetWindows(RoutingContext context) {
        QueryParameters.allow(context, "identifier", "resource", "all");
        var all = QueryParameters.text(context, "all");
        if (all == null) {
            if (QueryParameters.text(context, "identifier") == null) {
                throw BadRequestException.forField("identifier",
                        "identifier is missing; all=true resets the windows of all identifiers");
            }
            var identifier = QueryParameters.name(context, "identifier");
            return QueryParameters.text(context, "resource") == null
                    ? admin.reset(identifier)
                    : admin.reset(identifier, QueryParameters.name(context, "resource"));
        }
        if (!"true".equals(all)) {
            throw BadRequestException.forField("all", "all must be true");
        }
        if (QueryParameters.text(context, "identifier") != null || QueryParameters.text(context, "resource") != null) {
            throw BadRequestException.forField("all", "all=true cannot be combined with identifier or resource");
        }
        return admin.resetAll();
    }

    private Response ok(RoutingContext context, Record body) {
        if (store.mode().isOutage()) {
            context.response().putHeader(RateLimitHeaders.MODE, store.mode().value());
        }
        return Response.ok(body, ErrorResponse.JSON).build();
    }
}
