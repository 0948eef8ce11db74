package dev.sluice.service.overview;

import java.util.Locale;

import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;

import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.security.SecurityRequirement;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

import dev.sluice.config.RulesFile;
import dev.sluice.config.RulesFileStatus;
import dev.sluice.engine.StoreConfig;
import dev.sluice.engine.StoreStatus;
import dev.sluice.http.ErrorResponse;
import dev.sluice.http.ServiceEndpoint;
import dev.sluice.service.alerts.AlertService;
import dev.sluice.service.api.EndpointAuthorization;
import dev.sluice.service.api.OpenApiDefinition;
import dev.sluice.service.api.QueryParameters;
import dev.sluice.service.token.AdminAccess;
import dev.sluice.service.traffic.TrafficService;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;

/** Admin endpoint: the state of the service, the decisions of the last hour and the LLM spend, of all instances. */
@ServiceEndpoint
@Tag(name = "Administration")
@Path("/v1/overview")
@Produces({ErrorResponse.JSON, ErrorResponse.PROBLEM_JSON, MediaType.WILDCARD})
public class OverviewResource {

    private static final int HOUR = 60;

    private final EndpointAuthorization authorization;
    private final TrafficService traffic;
    private final SpendOverview spend;
    private final StoreStatus store;
    private final StoreConfig settings;
    private final AlertService alerts;
    private final RulesFile rulesFile;

    OverviewResource(EndpointAuthorization authorization, TrafficService traffic, SpendOverview spend, StoreStatus store,
            StoreConfig settings, AlertService alerts, RulesFile rulesFile) {
        this.authorization = authorization;
        this.traffic = traffic;
        this.spend = spend;
        this.store = store;
        this.settings = settings;
        this.alerts = alerts;
        this.rulesFile = rulesFile;
    }

    /** Returns the overview. */
    @GET
    @Operation(operationId = "overview", summary = "Returns the state of the store, the decisions of the last hour and the LLM spend, of all instances")
    @SecurityRequirement(name = OpenApiDefinition.ADMIN_TOKEN)
    @APIResponse(responseCode = "200", description = "Overview; a token of a team gets its access and the spend of the team", content = @Content(mediaType = ErrorResponse.JSON, schema = @Schema(implementation = OverviewResponse.class), example = "{\"access\":{\"token\":\"admin-token\",\"scope\":\"write\"},\"store\":{\"mode\":\"redis\",\"instances\":3,\"dry_run\":false},\"scope\":\"all_instances\",\"last_hour\":{\"allowed\":120034,\"denied\":512,\"errors\":0,\"p50_ms\":0.31,\"p99_ms\":1.9},\"in_flight\":7,\"llm\":{\"today\":{\"cost_usd\":\"4.0125\",\"calls\":311,\"unpriced_calls\":0},\"month\":{\"cost_usd\":\"118.4421\",\"calls\":9120,\"unpriced_calls\":2}},\"alerts_due\":0}"))
    @APIResponse(responseCode = "400", ref = OpenApiDefinition.BAD_REQUEST)
    @APIResponse(responseCode = "401", ref = OpenApiDefinition.UNAUTHORIZED)
    @APIResponse(responseCode = "403", ref = OpenApiDefinition.FORBIDDEN)
    @APIResponse(responseCode = "429", ref = OpenApiDefinition.TOO_MANY_REQUESTS)
    public Uni<Response> overview(@Context RoutingContext context) {
        return authorization.authorizeTeamAdmin(context, access -> {
            QueryParameters.allow(context);
            return spend.of(access.team()).onFailure().recoverWithNull().flatMap(found -> body(access, found))
                    .map(body -> Response.ok(body, ErrorResponse.JSON).build());
        });
    }

    private Uni<OverviewResponse> body(AdminAccess access, OverviewResponse.Spend llm) {
        var token = OverviewResponse.Access.of(access);
        if (access.team() != null) {
            return Uni.createFrom().item(new OverviewResponse(token, null, null, null, null, llm, null, null));
        }
        var state = new OverviewResponse.Store(store.mode().name().toLowerCase(Locale.ROOT), store.instances(),
                settings.dryRun());
        var problem = rulesFile.status().map(RulesFileStatus::problem).orElse(null);
        return Uni.createFrom().completionStage(() -> traffic.last(HOUR).toCompletionStage())
                .map(history -> new OverviewResponse(token, state, TrafficResponse.scope(history),
                        DecisionTotals.of(history.sum(HOUR)), history.totalInFlight(), llm,
                        alerts.queued() < 0 ? null : alerts.queued(), problem));
    }
}
