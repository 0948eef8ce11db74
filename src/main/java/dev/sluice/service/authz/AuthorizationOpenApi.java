package dev.sluice.service.authz;

import java.util.List;

import org.eclipse.microprofile.openapi.OASFactory;
import org.eclipse.microprofile.openapi.OASFilter;
import org.eclipse.microprofile.openapi.models.OpenAPI;
import org.eclipse.microprofile.openapi.models.Operation;
import org.eclipse.microprofile.openapi.models.media.Schema.SchemaType;
import org.eclipse.microprofile.openapi.models.parameters.Parameter;
import org.eclipse.microprofile.openapi.models.responses.APIResponse;
import org.eclipse.microprofile.openapi.models.responses.APIResponses;

import dev.sluice.http.RateLimitHeaders;
import dev.sluice.identity.IdentityHeaders;
import dev.sluice.service.api.OpenApiDefinition;
import io.quarkus.smallrye.openapi.OpenApiFilter;

/** Adds {@link AuthorizationRoute} to {@code /q/openapi}, which finds JAX-RS resources only. Runs while the service is built. */
@OpenApiFilter(OpenApiFilter.RunStage.BUILD)
public class AuthorizationOpenApi implements OASFilter {

    private static final String TAG = "Proxies";

    @Override
    public void filterOpenAPI(OpenAPI document) {
        var paths = document.getPaths() == null ? OASFactory.createPaths() : document.getPaths();
        document.setPaths(paths
                .addPathItem(AuthorizationRoute.FORWARD_AUTH, OASFactory.createPathItem().GET(forwardAuth()))
                .addPathItem(AuthorizationRoute.EXT_AUTHZ + "/{path}", OASFactory.createPathItem().GET(extAuthz())));
    }

    private static Operation forwardAuth() {
        var operation = OASFactory.createOperation().operationId("forwardAuth").addTag(TAG)
                .summary("Decides on a request that a trusted proxy describes in headers (forward authentication); any method")
                .responses(responses().addAPIResponse("403", response(OpenApiDefinition.FORBIDDEN)));
        parameter(operation, Parameter.In.QUERY, "deny", "Status of a refusal: 429, or 403 for nginx");
        parameter(operation, Parameter.In.QUERY, "resource", "Resource name of the rule that applies instead of the path's");
        parameter(operation, Parameter.In.QUERY, "from",
                "Headers that describe the request: forwarded (X-Forwarded-*) or original (X-Original-*); the first set that is"
                        + " present by default");
        for (var header : List.of("X-Forwarded-Method", "X-Forwarded-Uri", "X-Original-Method", "X-Original-URI",
                "X-Original-URL")) {
            parameter(operation, Parameter.In.HEADER, header, header.endsWith("Method")
                    ? "Method of the original request, GET by default"
                    : "Target of the original request: a path with query, or an absolute URL");
        }
        return operation;
    }

    private static Operation extAuthz() {
        return OASFactory.createOperation().operationId("extAuthz").addTag(TAG)
                .summary("Decides on a request that Envoy describes by its method and path (ext_authz over HTTP); any method")
                .addParameter(OASFactory.createParameter().name("path").in(Parameter.In.PATH).required(true)
                        .description("Path and query of the original request")
                        .schema(OASFactory.createSchema().addType(SchemaType.STRING)))
                .responses(responses());
    }

    private static void parameter(Operation operation, Parameter.In in, String name, String description) {
        operation.addParameter(OASFactory.createParameter().name(name).in(in).description(description)
                .schema(OASFactory.createSchema().addType(SchemaType.STRING)));
    }

    private static APIResponses responses() {
        var allowed = OASFactory.createAPIResponse().description("Allowed; no body");
        for (var name : List.of(RateLimitHeaders.LIMIT, RateLimitHeaders.REMAINING, RateLimitHeaders.RESET)) {
            allowed.addHeader(name, OASFactory.createHeader().ref(name));
        }
        for (var name : IdentityHeaders.ALL) {
            allowed.addHeader(name, OASFactory.createHeader().description("Caller, for the upstream; absent if it has no name")
                    .schema(OASFactory.createSchema().addType(SchemaType.STRING)));
        }
        return OASFactory.createAPIResponses().addAPIResponse("200", allowed)
                .addAPIResponse("400", response(OpenApiDefinition.BAD_REQUEST))
                .addAPIResponse("401", response(OpenApiDefinition.UNAUTHORIZED))
                .addAPIResponse("429", response(OpenApiDefinition.TOO_MANY_REQUESTS))
                .addAPIResponse("503", response(OpenApiDefinition.UNAVAILABLE));
    }

    private static APIResponse response(String name) {
        return OASFactory.createAPIResponse().ref(name);
    }
}
