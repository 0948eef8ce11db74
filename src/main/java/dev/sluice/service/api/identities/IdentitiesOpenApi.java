package dev.sluice.service.api.identities;

import java.util.List;
import java.util.Map;

import org.eclipse.microprofile.openapi.OASFactory;
import org.eclipse.microprofile.openapi.OASFilter;
import org.eclipse.microprofile.openapi.models.OpenAPI;
import org.eclipse.microprofile.openapi.models.Operation;
import org.eclipse.microprofile.openapi.models.PathItem;
import org.eclipse.microprofile.openapi.models.media.Content;
import org.eclipse.microprofile.openapi.models.media.Schema;
import org.eclipse.microprofile.openapi.models.parameters.Parameter;
import org.eclipse.microprofile.openapi.models.responses.APIResponse;

import dev.sluice.directory.IdentityKind;
import dev.sluice.http.ErrorResponse;
import dev.sluice.service.api.OpenApiDefinition;
import dev.sluice.service.api.identities.document.DocumentFields;
import io.quarkus.smallrye.openapi.OpenApiFilter;

/**
 * Describes the endpoints of identities in {@code /q/openapi}. Those of users, teams and organisations differ by their names only,
 * which annotations could not express. Runs while the service is built.
 */
@OpenApiFilter(OpenApiFilter.RunStage.BUILD)
public class IdentitiesOpenApi implements OASFilter {

    private static final String TAG = "Keys, users, teams and organisations";
    private static final String NOT_FOUND = "IdentityNotFound";
    private static final String CONFLICT = "IdentityConflict";
    private static final String PRECONDITION_FAILED = "PreconditionFailed";
    private static final Map<String, String> PARAMETERS = Map.of("user", "Only keys of this user", "team",
            "Only keys or members of this team", "org", "Only keys of teams of this organisation, or its teams", "disabled",
            "true: only disabled keys; false: only others", "prefix", "Only names that begin with this text", "used",
            "true: each entry has used, what is used now of each window of its limits", "limit",
            "Maximum number of entries, 1 to 1000, or to 100 with used=true; by default 100", "cursor",
            "next_cursor of the page before");
    private static final Map<IdentityKind, String> NOUNS = Map.of(IdentityKind.KEY, "key", IdentityKind.USER, "user",
            IdentityKind.TEAM, "team", IdentityKind.ORG, "organisation");

    @Override
    public void filterOpenAPI(OpenAPI document) {
        var paths = document.getPaths();
        var components = document.getComponents();
        components.addResponse(NOT_FOUND, error("RATE_4041: no such key, user, team or organisation", 404, "RATE_4041",
                "No such key"));
        components.addResponse(CONFLICT, error("RATE_4091: the team has keys or the organisation teams, the key is set in"
                + " rate-limit.api-keys, or there are too many changes at the same time", 409, "RATE_4091",
                "Too many changes at the same time; try again"));
        components.addResponse(PRECONDITION_FAILED, error("RATE_4121: it has been changed since it was read (If-Match), or"
                + " exists already (If-None-Match: *)", 412, "RATE_4121",
                "It has been changed since it was read (If-Match)"));
        for (var kind : IdentityKind.values()) {
            components.addSchema(schema(kind), identity(kind));
        }

        paths.addPathItem("/v1/keys", OASFactory.createPathItem().GET(list(IdentityKind.KEY)).POST(create()));
        paths.addPathItem("/v1/keys/{id}", single(IdentityKind.KEY));
        paths.addPathItem("/v1/keys/{id}/rotate", OASFactory.createPathItem().POST(rotate()));
        for (var kind : List.of(IdentityKind.USER, IdentityKind.TEAM, IdentityKind.ORG)) {
            var path = "/v1/" + kind.label() + 's';
            paths.addPathItem(path, OASFactory.createPathItem().GET(list(kind)));
            paths.addPathItem(path + "/{name}", single(kind).PUT(put(kind)));
        }
        paths.addPathItem("/v1/audit", OASFactory.createPathItem().GET(audit()));
        paths.addPathItem("/v1/export", OASFactory.createPathItem().GET(export()));
        paths.addPathItem("/v1/import", OASFactory.createPathItem().POST(importing()));
    }

    private static Operation create() {
        return responses(body(operation("createKey", "Creates a key; its text is in this response only"), "Key",
                IdentityExamples.KEY_REQUEST, ErrorResponse.JSON), "201",
                success("Created, with the text of the key", "Key", IdentityExamples.NEW_KEY));
    }

    private static Operation rotate() {
        var operation = named(operation("rotateKey", "Gives a key a new text; the earlier one is valid for the grace period"),
                IdentityKind.KEY);
        body(operation, "Key", "{\"grace_seconds\":3600}", ErrorResponse.JSON).getRequestBody().required(false);
        return responses(conditional(operation), "200", success("With the new text", "Key", IdentityExamples.NEW_KEY),
                NOT_FOUND, CONFLICT, PRECONDITION_FAILED);
    }

    private static Operation list(IdentityKind kind) {
        var operation = operation("list" + schema(kind) + 's', "Returns a page of " + NOUNS.get(kind) + 's'
                + (kind == IdentityKind.KEY ? ", newest first" : ", by name"));
        IdentityLists.PARAMETERS.get(kind).forEach(name -> query(operation, name, PARAMETERS.get(name)));
        return responses(operation, "200", success("The page", null,
                "{\"" + kind.label() + "s\":[" + IdentityExamples.of(kind) + "],\"next_cursor\":null}"));
    }

    private static PathItem single(IdentityKind kind) {
        var noun = NOUNS.get(kind);
        var example = IdentityExamples.of(kind);
        var get = responses(named(operation("get" + schema(kind), "Returns the " + noun), kind), "200",
                success("The " + noun, schema(kind), example), NOT_FOUND);
        var patch = responses(
                conditional(body(named(operation("patch" + schema(kind), "Changes the " + noun
                        + " by a JSON merge patch (RFC 7396): fields that are null are removed"), kind), schema(kind),
                        "{\"metadata\":{\"cost_centre\":17}}", "application/merge-patch+json")),
                "200", success("The " + noun + " after the change", schema(kind), example), NOT_FOUND, CONFLICT,
                PRECONDITION_FAILED);
        var delete = conditional(named(operation("delete" + schema(kind), "Deletes the " + noun), kind));
        if (kind == IdentityKind.TEAM || kind == IdentityKind.ORG) {
            query(delete, "cascade", kind == IdentityKind.TEAM
                    ? "true deletes the keys of the team first"
                    : "true removes its teams from the organisation first");
        }
        return OASFactory.createPathItem().GET(get).PATCH(patch).DELETE(responses(delete, "204",
                OASFactory.createAPIResponse().description("Deleted"), NOT_FOUND, CONFLICT, PRECONDITION_FAILED));
    }

    private static Operation put(IdentityKind kind) {
        var noun = NOUNS.get(kind);
        var operation = conditional(body(named(operation("put" + schema(kind), "Creates or replaces the " + noun), kind),
                schema(kind), IdentityExamples.request(kind), ErrorResponse.JSON));
        operation.addParameter(header("If-None-Match", "* creates only"));
        responses(operation, "200", success("Replaced", schema(kind), IdentityExamples.of(kind)), CONFLICT,
                PRECONDITION_FAILED).getResponses()
                .addAPIResponse("201", success("Created", schema(kind), IdentityExamples.of(kind)));
        return operation;
    }

    private static Operation audit() {
        var operation = operation("audit", "Returns the changes of identities, newest first; the last 10,000 are kept");
        query(operation, "limit", PARAMETERS.get("limit"));
        query(operation, "cursor", PARAMETERS.get("cursor"));
        return responses(operation, "200", success("The page", null, IdentityExamples.AUDIT));
    }

    private static Operation export() {
        return responses(operation("export", "Returns all identities, one a line, with the hashes of the keys"), "200",
                OASFactory.createAPIResponse().description("One object a line; requires an admin token of write scope")
                        .content(content("application/x-ndjson", null, IdentityExamples.LINE)));
    }

    private static Operation importing() {
        var operation = body(operation("import", "Stores the identities of an export; lines that are not valid are left out"),
                null, IdentityExamples.LINE, "application/x-ndjson");
        query(operation, "mode", "replace (default), or create to leave existing identities as they are");
        return responses(operation, "200", success("The number of lines by outcome, and the first 100 errors", null,
                "{\"imported\":2,\"unchanged\":0,\"failed\":1,\"errors\":[{\"line\":3,\"field\":\"/document/tier\","
                        + "\"message\":\"tier must be one of free, pro, enterprise\"}]}"));
    }

    private static Operation operation(String id, String summary) {
        return OASFactory.createOperation().operationId(id).summary(summary).addTag(TAG).addSecurityRequirement(
                OASFactory.createSecurityRequirement().addScheme(OpenApiDefinition.ADMIN_TOKEN));
    }

    private static Operation named(Operation operation, IdentityKind kind) {
        boolean key = kind == IdentityKind.KEY;
        return operation.addParameter(OASFactory.createParameter().name(key ? "id" : "name").in(Parameter.In.PATH)
                .required(true).description(key ? "Id of the key" : "Name, percent-encoded").schema(text()));
    }

    private static Operation conditional(Operation operation) {
        return operation.addParameter(header("If-Match", "ETag of what was read, or *: 412 if it has changed since"));
    }

    private static Parameter header(String name, String description) {
        return OASFactory.createParameter().name(name).in(Parameter.In.HEADER).description(description).schema(text());
    }

    private static void query(Operation operation, String name, String description) {
        operation.addParameter(
                OASFactory.createParameter().name(name).in(Parameter.In.QUERY).description(description).schema(text()));
    }

    private static Operation body(Operation operation, String schema, String example, String mediaType) {
        return operation.requestBody(
                OASFactory.createRequestBody().required(true).content(content(mediaType, schema, example)));
    }

    private static Operation responses(Operation operation, String status, APIResponse success, String... others) {
        var responses = errors(operation).getResponses().addAPIResponse(status, success);
        for (var other : others) {
            responses.addAPIResponse(other.equals(NOT_FOUND) ? "404" : other.equals(CONFLICT) ? "409" : "412",
                    OASFactory.createAPIResponse().ref(other));
        }
        return operation;
    }

    private static Operation errors(Operation operation) {
        return operation.responses(OASFactory.createAPIResponses()
                .addAPIResponse("400", OASFactory.createAPIResponse().ref(OpenApiDefinition.BAD_REQUEST))
                .addAPIResponse("401", OASFactory.createAPIResponse().ref(OpenApiDefinition.UNAUTHORIZED))
                .addAPIResponse("403", OASFactory.createAPIResponse().ref(OpenApiDefinition.FORBIDDEN))
                .addAPIResponse("429", OASFactory.createAPIResponse().ref(OpenApiDefinition.TOO_MANY_REQUESTS))
                .addAPIResponse("503", OASFactory.createAPIResponse().ref(OpenApiDefinition.UNAVAILABLE)));
    }

    private static APIResponse success(String description, String schema, String example) {
        var response = OASFactory.createAPIResponse().description(description)
                .content(content(ErrorResponse.JSON, schema, example));
        return schema == null
                ? response
                : response.addHeader("ETag", OASFactory.createHeader().description("Entity tag, for If-Match").schema(text()));
    }

    private static APIResponse error(String description, int status, String code, String message) {
        return OASFactory.createAPIResponse().description(description).content(content(ErrorResponse.JSON, "Error",
                ErrorResponse.of(status, code, message).body(ErrorResponse.JSON)));
    }

    private static Content content(String mediaType, String schema, String example) {
        var content = OASFactory.createMediaType().example(example);
        if (schema != null) {
            content.schema(OASFactory.createSchema().ref(schema));
        }
        return OASFactory.createContent().addMediaType(mediaType, content);
    }

    private static Schema identity(IdentityKind kind) {
        var schema = OASFactory.createSchema().addType(Schema.SchemaType.OBJECT);
        DocumentFields.writable(kind).forEach(field -> schema.addProperty(field, IdentityExamples.field(field)));
        List.of(kind == IdentityKind.KEY ? "id" : "name", "created_at", "updated_at")
                .forEach(field -> schema.addProperty(field, text().readOnly(true)));
        if (kind == IdentityKind.KEY) {
            List.of("prefix", "org", "last_used_at").forEach(field -> schema.addProperty(field, text().readOnly(true)));
        }
        return schema;
    }

    private static Schema text() {
        return OASFactory.createSchema().addType(Schema.SchemaType.STRING);
    }

    private static String schema(IdentityKind kind) {
        return Character.toUpperCase(kind.label().charAt(0)) + kind.label().substring(1);
    }
}
