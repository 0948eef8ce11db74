package dev.sluice.service.api;

import java.util.List;
import java.util.Map;

import org.eclipse.microprofile.openapi.OASFactory;
import org.eclipse.microprofile.openapi.OASFilter;
import org.eclipse.microprofile.openapi.models.OpenAPI;
import org.eclipse.microprofile.openapi.models.Operation;
import org.eclipse.microprofile.openapi.models.headers.Header;
import org.eclipse.microprofile.openapi.models.media.Content;
import org.eclipse.microprofile.openapi.models.media.MediaType;
import org.eclipse.microprofile.openapi.models.media.Schema;
import org.eclipse.microprofile.openapi.models.parameters.RequestBody;
import org.eclipse.microprofile.openapi.models.responses.APIResponse;
import org.eclipse.microprofile.openapi.models.responses.APIResponses;

import dev.sluice.http.ErrorResponse;
import dev.sluice.http.RateLimitHeaders;
import io.quarkus.smallrye.openapi.OpenApiFilter;

/** Adds {@link CheckRoute} to {@code /q/openapi}, which finds JAX-RS resources only. Runs while the service is built. */
@OpenApiFilter(OpenApiFilter.RunStage.BUILD)
public class CheckOpenApi implements OASFilter {

    private static final String TAG = "Decisions";

    @Override
    public void filterOpenAPI(OpenAPI document) {
        var paths = document.getPaths() == null ? OASFactory.createPaths() : document.getPaths();
        document.setPaths(paths.addPathItem(CheckRoute.PATH, OASFactory.createPathItem().POST(operation())));
    }

    private static Operation operation() {
        return OASFactory.createOperation().operationId("check").addTag(TAG)
                .summary("Decides whether an operation is allowed, and counts it if so").requestBody(requestBody())
                .responses(responses()).addSecurityRequirement(
                        OASFactory.createSecurityRequirement().addScheme(OpenApiDefinition.API_TOKEN));
    }

    private static RequestBody requestBody() {
        var examples = json("Check")
                .addExample("own rate", OASFactory.createExample().value(Map.of("identifier", "user123", "resource",
                        "custom_operation", "limit", 10, "window_seconds", 60, "cost", 1)))
                .addExample("several rates", OASFactory.createExample().value(Map.of("identifier", "user123", "resource",
                        "custom_operation", "rate", "10/second;100/minute")))
                .addExample("units that have been used", OASFactory.createExample().value(Map.of("identifier", "user123",
                        "resource", "bytes", "rate", "1000000/minute", "cost", 48211, "charge", true)))
                .addExample("several checks, all or nothing", OASFactory.createExample()
                        .value(Map.of("checks", List.of(
                                Map.of("identifier", "user123", "resource", "export", "rate", "5/hour"),
                                Map.of("identifier", "tenant7", "resource", "export", "rate", "20/hour")))))
                .addExample("configured rule", OASFactory.createExample()
                        .value(Map.of("identifier", "user123", "resource", "api:/campaigns", "tier", "pro")));
        return OASFactory.createRequestBody().required(true).content(content(examples));
    }

    private static APIResponses responses() {
        var checked = OASFactory.createAPIResponse().description("Allowed; with a cost of 0, the decision for a cost of 1")
                .content(content(json("Decision").example(Map.of("allowed", true, "limit", 10, "remaining", 9,
                        "window_seconds", 60, "reset_at", 1701234567, "retry_after", 0))));
        for (var name : List.of(RateLimitHeaders.LIMIT, RateLimitHeaders.REMAINING, RateLimitHeaders.RESET)) {
            checked.addHeader(name, header(name));
        }
        return OASFactory.createAPIResponses().addAPIResponse("200", checked)
                .addAPIResponse("400", response(OpenApiDefinition.BAD_REQUEST))
                .addAPIResponse("401", response(OpenApiDefinition.UNAUTHORIZED))
                .addAPIResponse("403", response(OpenApiDefinition.FORBIDDEN))
                .addAPIResponse("429", response(OpenApiDefinition.TOO_MANY_REQUESTS))
                .addAPIResponse("503", response(OpenApiDefinition.UNAVAILABLE));
    }

    private static MediaType json(String schema) {
        return OASFactory.createMediaType().schema(OASFactory.createObject(Schema.class).ref(schema));
    }

    private static Content content(MediaType json) {
        return OASFactory.createContent().addMediaType(ErrorResponse.JSON, json);
    }

    private static Header header(String name) {
        return OASFactory.createHeader().ref(name);
    }

    private static APIResponse response(String name) {
        return OASFactory.createAPIResponse().ref(name);
    }
}
