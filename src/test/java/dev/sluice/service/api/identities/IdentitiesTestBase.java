package dev.sluice.service.api.identities;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.AfterEach;

import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.HttpTestClient;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** Base class of tests of the endpoints of identities; each test begins without any. */
abstract class IdentitiesTestBase extends HttpTestBase {

    private static final String ADMIN = "admin-secret";

    /** @param headers alternating names and values */
    HttpResponse<String> as(String token, String method, String path, String body, String... headers) {
        var all = new ArrayList<>(List.of(headers));
        all.addAll(List.of("Authorization", "Bearer " + token));
        return http.send(method, path, body, all.toArray(String[]::new));
    }

    HttpResponse<String> call(String method, String path, String body, String... headers) {
        return as(ADMIN, method, path, body, headers);
    }

    HttpResponse<String> get(String path) {
        return call("GET", path, null);
    }

    static JsonObject ok(HttpResponse<String> response) {
        assertThat(response.statusCode()).as(response.body()).isIn(200, 201);
        return new JsonObject(response.body());
    }

    static void assertError(HttpResponse<String> response, int status, String code) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        assertThat(HttpTestClient.error(response).getString("code")).isEqualTo(code);
    }

    static void assertInvalid(HttpResponse<String> response, String field) {
        assertError(response, 400, "RATE_4001");
        assertThat(HttpTestClient.error(response).getJsonObject("details").getString("field")).isEqualTo(field);
    }

    static String tag(HttpResponse<?> response) {
        return HttpTestClient.header(response, "ETag");
    }

    JsonObject createKey(String body) {
        var response = call("POST", "/v1/keys", body);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(201);
        return new JsonObject(response.body());
    }

    @AfterEach
    void deleteAll() {
        for (var kind : List.of("keys", "teams", "users", "orgs")) {
            for (var page = list(kind); !page.isEmpty(); page = list(kind)) {
                page.stream().map(JsonObject.class::cast).forEach(identity -> {
                    var name = identity.getString(kind.equals("keys") ? "id" : "name");
                    var path = "/v1/" + kind + '/' + java.net.URLEncoder.encode(name, java.nio.charset.StandardCharsets.UTF_8)
                            .replace("+", "%20");
                    assertThat(call("DELETE", path, null).statusCode()).as(path).isEqualTo(204);
                });
            }
        }
    }

    private JsonArray list(String kind) {
        return ok(get("/v1/" + kind + "?limit=1000")).getJsonArray(kind);
    }

    /** Removes what a query of one identity shows in addition. */
    static JsonObject withoutUsage(JsonObject identity) {
        identity.remove("used");
        identity.remove("spend");
        return identity;
    }
}
