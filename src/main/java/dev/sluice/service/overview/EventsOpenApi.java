package dev.sluice.service.overview;

import java.util.Map;

import org.eclipse.microprofile.openapi.OASFactory;
import org.eclipse.microprofile.openapi.OASFilter;
import org.eclipse.microprofile.openapi.models.OpenAPI;
import org.eclipse.microprofile.openapi.models.media.Schema.SchemaType;
import org.eclipse.microprofile.openapi.models.responses.APIResponse;

import dev.sluice.service.api.OpenApiDefinition;
import io.quarkus.smallrye.openapi.OpenApiFilter;

/** Describes {@link EventStreams}, which is a route, in {@code /q/openapi}. Runs while the service is built. */
@OpenApiFilter(OpenApiFilter.RunStage.BUILD)
public class EventsOpenApi implements OASFilter {

    private static final String EXAMPLE = "event: figures\ndata: {\"time_ms\":1701234567890,\"scope\":\"all_instances\","
            + "\"mode\":\"redis\",\"instances\":3,\"in_flight\":7,\"allowed_per_second\":812.4,\"denied_per_second\":3.2,"
            + "\"errors_per_second\":0.0,\"p50_ms\":0.31,\"p99_ms\":1.9}\n\n";

    @Override
    public void filterOpenAPI(OpenAPI document) {
        var stream = OASFactory.createMediaType().schema(OASFactory.createSchema().addType(SchemaType.STRING)).example(EXAMPLE);
        var responses = OASFactory.createAPIResponses()
                .addAPIResponse("200", OASFactory.createAPIResponse()
                        .description(
                                "Server-sent events of the type figures, one each second, with a JSON object as data. Rates are"
                                        + " of the last few seconds, and absent in the first event; durations are null while nothing is decided")
                        .content(OASFactory.createContent().addMediaType("text/event-stream", stream)))
                .addAPIResponse("503", OASFactory.createAPIResponse()
                        .description("RATE_5033: " + EventStreams.MAX_STREAMS
                                + " clients read the events of this instance already"));
        Map.of("400", OpenApiDefinition.BAD_REQUEST, "401", OpenApiDefinition.UNAUTHORIZED, "403", OpenApiDefinition.FORBIDDEN,
                "429", OpenApiDefinition.TOO_MANY_REQUESTS)
                .forEach((status, name) -> responses.addAPIResponse(status,
                        OASFactory.createObject(APIResponse.class).ref(name)));
        document.getPaths().addPathItem(EventStreams.PATH, OASFactory.createPathItem().GET(OASFactory.createOperation()
                .operationId("events").addTag("Administration")
                .summary(
                        "Streams live figures of all instances: decisions per second by outcome, their duration, requests in flight, and the store")
                .responses(responses).addSecurityRequirement(
                        OASFactory.createSecurityRequirement().addScheme(OpenApiDefinition.ADMIN_TOKEN))));
    }
}
