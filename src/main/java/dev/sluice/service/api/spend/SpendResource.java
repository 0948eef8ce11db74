package dev.sluice.service.api.spend;

import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;

import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.enums.ParameterIn;
import org.eclipse.microprofile.openapi.annotations.enums.SchemaType;
import org.eclipse.microprofile.openapi.annotations.headers.Header;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.security.SecurityRequirement;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

import dev.sluice.http.ErrorResponse;
import dev.sluice.http.ServiceEndpoint;
import dev.sluice.llm.ledger.Ledger;
import dev.sluice.llm.spend.SpendReports;
import dev.sluice.llm.spend.SpendTooLargeException;
import dev.sluice.service.api.BadRequestException;
import dev.sluice.service.api.EndpointAuthorization;
import dev.sluice.service.api.OpenApiDefinition;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;

/** Admin endpoint: spend on LLM calls by any dimension. */
@ServiceEndpoint
@Tag(name = "LLM")
@Path("/v1/llm/spend")
@Produces({ErrorResponse.JSON, ErrorResponse.PROBLEM_JSON, SpendResource.CSV, MediaType.WILDCARD})
public class SpendResource {

    static final String CSV = "text/csv";
    private static final MediaType CSV_TYPE = new MediaType("text", "csv");
    /** Header of a page in CSV that has a successor. */
    static final String NEXT_CURSOR = "X-Next-Cursor";

    private final SpendReports reports;
    private final Ledger ledger;
    private final EndpointAuthorization authorization;

    SpendResource(SpendReports reports, Ledger ledger, EndpointAuthorization authorization) {
        this.reports = reports;
        this.ledger = ledger;
        this.authorization = authorization;
    }

    /** Returns the spend, grouped and filtered. */
    @GET
    @Parameter(name = "group_by", in = ParameterIn.QUERY, schema = @Schema(type = SchemaType.STRING), example = "team,model", description = "Dimensions, separated by commas: user, team, org, key, provider, model, hour, day; only the total if absent")
    @Parameter(name = "from", in = ParameterIn.QUERY, schema = @Schema(type = SchemaType.STRING), example = "2026-11-01", description = "First time that is included: a date (UTC) or the start of an hour (RFC 3339). Default: the start of the current month. Days are kept for 62 days, hours for 31")
    @Parameter(name = "to", in = ParameterIn.QUERY, schema = @Schema(type = SchemaType.STRING), example = "2026-12-01", description = "First time that is not included: a date (UTC), or the start of an hour, or any time after the start of the current hour, which means now. Default: now")
    @Parameter(name = "user", in = ParameterIn.QUERY, schema = @Schema(type = SchemaType.STRING, minLength = 1, maxLength = 256), description = "Name of the user whose calls are included")
    @Parameter(name = "team", in = ParameterIn.QUERY, schema = @Schema(type = SchemaType.STRING, minLength = 1, maxLength = 256), description = "Name of the team whose calls are included")
    @Parameter(name = "org", in = ParameterIn.QUERY, schema = @Schema(type = SchemaType.STRING, minLength = 1, maxLength = 256), description = "Name of the organisation whose calls are included")
    @Parameter(name = "key", in = ParameterIn.QUERY, schema = @Schema(type = SchemaType.STRING, minLength = 1, maxLength = 256), description = "Id of the stored key whose calls are included")
    @Parameter(name = "provider", in = ParameterIn.QUERY, schema = @Schema(type = SchemaType.STRING, minLength = 1, maxLength = 256), description = "Provider whose calls are included")
    @Parameter(name = "model", in = ParameterIn.QUERY, schema = @Schema(type = SchemaType.STRING, minLength = 1, maxLength = 256), description = "Model whose calls are included")
    @Parameter(name = "limit", in = ParameterIn.QUERY, schema = @Schema(type = SchemaType.INTEGER, minimum = "1", maximum = "1000", defaultValue = "100"), description = "Maximum number of rows")
    @Parameter(name = "cursor", in = ParameterIn.QUERY, schema = @Schema(type = SchemaType.STRING), description = "next_cursor of the previous page; the other parameters must be the same")
    @Operation(operationId = "llmSpend", summary = "Returns the spend on LLM calls, grouped by any dimension")
    @SecurityRequirement(name = OpenApiDefinition.ADMIN_TOKEN)
    @APIResponse(responseCode = "200", description = "Spend, the highest cost first. As text/csv: the rows of the page", headers = @Header(name = NEXT_CURSOR, description = "next_cursor of a page in CSV that is not the last one", schema = @Schema(type = SchemaType.STRING)), content = {
            @Content(mediaType = ErrorResponse.JSON, schema = @Schema(implementation = SpendResponse.class), example = "{\"rows\":[{\"user\":\"alice\",\"calls\":12,\"input_tokens\":10800,\"output_tokens\":3000,\"cached_input_tokens\":0,\"cache_write_input_tokens\":0,\"cost_usd\":\"0.057\",\"unpriced_calls\":0,\"estimated_calls\":0}],\"total\":{\"calls\":12,\"input_tokens\":10800,\"output_tokens\":3000,\"cached_input_tokens\":0,\"cache_write_input_tokens\":0,\"cost_usd\":\"0.057\",\"unpriced_calls\":0,\"estimated_calls\":0},\"next_cursor\":null}"),
            @Content(mediaType = CSV, schema = @Schema(type = SchemaType.STRING), example = "user,calls,input_tokens,output_tokens,cached_input_tokens,cache_write_input_tokens,cost_usd,unpriced_calls,estimated_calls\r\nalice,12,10800,3000,0,0,0.057,0,0\r\n")})
    @APIResponse(responseCode = "400", ref = OpenApiDefinition.BAD_REQUEST)
    @APIResponse(responseCode = "401", ref = OpenApiDefinition.UNAUTHORIZED)
    @APIResponse(responseCode = "403", ref = OpenApiDefinition.FORBIDDEN)
    @APIResponse(responseCode = "429", ref = OpenApiDefinition.TOO_MANY_REQUESTS)
    @APIResponse(responseCode = "503", ref = OpenApiDefinition.UNAVAILABLE)
    public Uni<Response> spend(@Context RoutingContext context, @Context HttpHeaders headers) {
        boolean csv = prefersCsv(headers);
        return authorization.authorizeTeamAdmin(context, access -> spend(context, csv, access.team()));
    }

    /** @param forcedTeam team whose calls alone the token may see; null for all */
    private Uni<Response> spend(RoutingContext context, boolean csv, String forcedTeam) {
        var query = SpendParameters.read(context, ledger.currentHour(), forcedTeam);
        return reports.find(query).map(report -> SpendResponse.of(query, report))
                .map(body -> csv
                        ? Response.ok(body.toCsv(query.groupBy()), CSV + "; charset=UTF-8; header=present")
                                .header(NEXT_CURSOR, body.nextCursor()).build()
                        : Response.ok(body, ErrorResponse.JSON).build())
                .onFailure(SpendTooLargeException.class)
                .transform(failure -> BadRequestException.forField("group_by", "The spend has more than "
                        + failure.maxGroups()
                        + " rows: group by fewer dimensions, or restrict it by from, to or a filter"));
    }

    private static boolean prefersCsv(HttpHeaders headers) {
        for (var type : headers.getAcceptableMediaTypes()) { // in the order of preference
            if (isExcluded(type)) {
                continue;
            }
            if (type.getType().equalsIgnoreCase(CSV_TYPE.getType()) && type.isCompatible(CSV_TYPE)) {
                return true;
            }
            if (type.isWildcardType() || type.getType().equalsIgnoreCase("application")) {
                return false;
            }
        }
        return false;
    }

    /** Returns whether the weight says that the type is not acceptable (RFC 9110, section 12.4.2). */
    private static boolean isExcluded(MediaType type) {
        return type.getParameters().getOrDefault("q", "1").matches("0(\\.0*)?");
    }
}
