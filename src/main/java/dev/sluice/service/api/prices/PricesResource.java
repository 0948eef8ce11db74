package dev.sluice.service.api.prices;

import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;

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

import dev.sluice.http.ErrorResponse;
import dev.sluice.http.ServiceEndpoint;
import dev.sluice.llm.config.Providers;
import dev.sluice.llm.policy.CurrentLlmPolicy;
import dev.sluice.llm.pricing.PriceListing;
import dev.sluice.llm.pricing.PriceTable;
import dev.sluice.llm.pricing.load.PriceLists;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.service.api.BadRequestException;
import dev.sluice.service.api.EndpointAuthorization;
import dev.sluice.service.api.OpenApiDefinition;
import dev.sluice.service.api.QueryParameters;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;

/** Admin endpoint: prices of LLM calls. */
@ServiceEndpoint
@Tag(name = "LLM")
@Path("/v1/prices")
@Produces({ErrorResponse.JSON, ErrorResponse.PROBLEM_JSON, MediaType.WILDCARD})
public class PricesResource {

    private final CurrentLlmPolicy policy;
    private final PriceLists lists;
    private final EndpointAuthorization authorization;
    private final Providers providers;
    private final LocalDate bundledAsOf = PriceTable.bundledAsOf();

    PricesResource(CurrentLlmPolicy policy, PriceLists lists, EndpointAuthorization authorization,
            Providers providers) {
        this.providers = providers;
        this.policy = policy;
        this.lists = lists;
        this.authorization = authorization;
    }

    /** Returns the prices in force. */
    @GET
    @Parameter(name = "provider", in = ParameterIn.QUERY, required = false, schema = @Schema(type = SchemaType.STRING), description = "Provider whose prices are returned; all providers if absent")
    @Parameter(name = "model", in = ParameterIn.QUERY, required = false, schema = @Schema(type = SchemaType.STRING, minLength = 1, maxLength = 256), description = "Model as a call names it: the price that its calls have is returned; all models if absent")
    @Operation(operationId = "prices", summary = "Returns the prices of LLM calls in force today, with where they are from")
    @SecurityRequirement(name = OpenApiDefinition.ADMIN_TOKEN)
    @APIResponse(responseCode = "200", description = "Prices in force on this instance", content = @Content(mediaType = ErrorResponse.JSON, schema = @Schema(implementation = PricesResponse.class)))
    @APIResponse(responseCode = "400", ref = OpenApiDefinition.BAD_REQUEST)
    @APIResponse(responseCode = "401", ref = OpenApiDefinition.UNAUTHORIZED)
    @APIResponse(responseCode = "403", ref = OpenApiDefinition.FORBIDDEN)
    @APIResponse(responseCode = "429", ref = OpenApiDefinition.TOO_MANY_REQUESTS)
    public Uni<Response> prices(@Context RoutingContext context) {
        return authorization.authorizeAdmin(context, () -> {
            QueryParameters.allow(context, "provider", "model");
            var provider = provider(QueryParameters.text(context, "provider"));
            var model = QueryParameters.optionalName(context, "model");
            var day = LocalDate.now(ZoneOffset.UTC);
            var rows = model == null ? policy.prices(provider, day) : prices(provider, model, day);
            var body = PricesResponse.of(day, bundledAsOf, rows, model != null, lists.status());
            return Uni.createFrom().item(Response.ok(body, ErrorResponse.JSON).build());
        });
    }

    /** @param provider null for all */
    private List<PriceListing> prices(Provider provider, String model, LocalDate day) {
        return (provider == null ? providers.all() : List.of(provider)).stream()
                .flatMap(any -> policy.describePrice(any, model, day).stream()).distinct().toList();
    }

    /** @param id null for all */
    private Provider provider(String id) {
        var provider = id == null ? null : providers.find(id);
        if (id != null && provider == null) {
            throw BadRequestException.forField("provider", "provider must be " + providers.allowedIds());
        }
        return provider;
    }
}
