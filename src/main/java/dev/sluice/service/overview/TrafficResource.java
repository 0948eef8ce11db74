package dev.sluice.service.overview;

import java.util.function.Function;

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

import dev.sluice.api.Identifiers;
import dev.sluice.http.ErrorResponse;
import dev.sluice.http.ServiceEndpoint;
import dev.sluice.service.api.BadRequestException;
import dev.sluice.service.api.EndpointAuthorization;
import dev.sluice.service.api.OpenApiDefinition;
import dev.sluice.service.api.QueryParameters;
import dev.sluice.service.traffic.TrafficHistory;
import dev.sluice.service.traffic.TrafficService;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;

/** Admin endpoints: decisions of the last minutes by rule and caller, and identifiers by a part of their name. */
@ServiceEndpoint
@Tag(name = "Administration")
@Path("/v1")
@Produces({ErrorResponse.JSON, ErrorResponse.PROBLEM_JSON, MediaType.WILDCARD})
public class TrafficResource {

    private static final int DEFAULT_MINUTES = 60;
    private static final int DEFAULT_LIMIT = 20;
    private static final int MAX_LIMIT = 100;

    private final EndpointAuthorization authorization;
    private final TrafficService traffic;

    TrafficResource(EndpointAuthorization authorization, TrafficService traffic) {
        this.authorization = authorization;
        this.traffic = traffic;
    }

    /** Returns the decisions of the last minutes. */
    @GET
    @Path("/traffic")
    @Parameter(name = "minutes", in = ParameterIn.QUERY, schema = @Schema(type = SchemaType.INTEGER, minimum = "1", maximum = "1440", defaultValue = "60"), description = "Number of minutes, the current one included; at most 60 while only this instance is known")
    @Parameter(name = "rule", in = ParameterIn.QUERY, schema = @Schema(type = SchemaType.STRING, minLength = 1, maxLength = 256), description = "Only decisions by this rule")
    @Operation(operationId = "traffic", summary = "Returns the decisions of the last minutes and the requests in flight by rule and tier, and the most frequent callers, of all instances")
    @SecurityRequirement(name = OpenApiDefinition.ADMIN_TOKEN)
    @APIResponse(responseCode = "200", description = "Decisions", content = @Content(mediaType = ErrorResponse.JSON, schema = @Schema(implementation = TrafficResponse.class), example = "{\"scope\":\"all_instances\",\"minutes\":1,\"rules\":[{\"rule\":\"api:/campaigns\",\"tier\":\"free\",\"allowed\":10,\"denied\":3,\"errors\":0,\"in_flight\":2}],\"timeline\":[{\"time\":1701234540,\"allowed\":10,\"denied\":3,\"errors\":0}],\"top_denied\":[{\"identifier\":\"user:alice\",\"rule\":\"api:/campaigns\",\"tier\":\"free\",\"decisions\":3}],\"top_allowed\":[{\"identifier\":\"user:alice\",\"rule\":\"api:/campaigns\",\"tier\":\"free\",\"decisions\":10}],\"top_minutes\":1,\"top_approximate\":true}"))
    @APIResponse(responseCode = "400", ref = OpenApiDefinition.BAD_REQUEST)
    @APIResponse(responseCode = "401", ref = OpenApiDefinition.UNAUTHORIZED)
    @APIResponse(responseCode = "403", ref = OpenApiDefinition.FORBIDDEN)
    @APIResponse(responseCode = "429", ref = OpenApiDefinition.TOO_MANY_REQUESTS)
    public Uni<Response> traffic(@Context RoutingContext context) {
        return authorization.authorizeAdmin(context, () -> {
            QueryParameters.allow(context, "minutes", "rule");
            int minutes = integer(context, "minutes", TrafficService.MAX_MINUTES, DEFAULT_MINUTES);
            var rule = QueryParameters.optionalName(context, "rule");
            return respond(minutes, history -> TrafficResponse.of(history, rule));
        });
    }

    /** Returns identifiers. */
    @GET
    @Path("/identifiers")
    @Parameter(name = "contains", in = ParameterIn.QUERY, schema = @Schema(type = SchemaType.STRING, maxLength = 256), example = "ali", description = "Text that the identifiers contain, regardless of case; all if absent")
    @Parameter(name = "limit", in = ParameterIn.QUERY, schema = @Schema(type = SchemaType.INTEGER, minimum = "1", maximum = "100", defaultValue = "20"), description = "Maximum number of identifiers")
    @Operation(operationId = "identifiers", summary = "Returns the most frequent identifiers of the last hour that contain a text, of all instances")
    @SecurityRequirement(name = OpenApiDefinition.ADMIN_TOKEN)
    @APIResponse(responseCode = "200", description = "Identifiers", content = @Content(mediaType = ErrorResponse.JSON, schema = @Schema(implementation = IdentifiersResponse.class), example = "{\"identifiers\":[{\"identifier\":\"user:alice\",\"tier\":\"pro\"}]}"))
    @APIResponse(responseCode = "400", ref = OpenApiDefinition.BAD_REQUEST)
    @APIResponse(responseCode = "401", ref = OpenApiDefinition.UNAUTHORIZED)
    @APIResponse(responseCode = "403", ref = OpenApiDefinition.FORBIDDEN)
    @APIResponse(responseCode = "429", ref = OpenApiDefinition.TOO_MANY_REQUESTS)
    public Uni<Response> identifiers(@Context RoutingContext context) {
        return authorization.authorizeAdmin(context, () -> {
            QueryParameters.allow(context, "contains", "limit");
            var part = QueryParameters.text(context, "contains") == null ? "" : QueryParameters.text(context, "contains");
            if (Identifiers.isLonger(part, Identifiers.MAX_LENGTH)) {
                throw BadRequestException.forField("contains",
                        "contains must have at most " + Identifiers.MAX_LENGTH + " characters");
            }
            int limit = integer(context, "limit", MAX_LIMIT, DEFAULT_LIMIT);
            return respond(TrafficService.LISTED_MINUTES, history -> IdentifiersResponse.of(history, part, limit));
        });
    }

    private static int integer(RoutingContext context, String field, int max, int defaultValue) {
        return QueryParameters.text(context, field) == null
                ? defaultValue
                : (int) QueryParameters.integer(context, field, 1, max);
    }

    private Uni<Response> respond(int minutes, Function<TrafficHistory, Object> body) {
        return Uni.createFrom().completionStage(() -> traffic.last(minutes).toCompletionStage())
                .map(history -> Response.ok(body.apply(history), ErrorResponse.JSON).build());
    }
}
