package dev.sluice.service.api;

import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.anEmptyMap;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.is;
import static org.hamcrest.Matchers.nullValue;

import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.TokensProfile;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.http.ContentType;
import io.restassured.response.ValidatableResponse;

/** Queries of administrators: what may be left out, and hints where nothing is found. */
@QuarkusTest
@TestProfile(TokensProfile.class)
@WithTestResource(RedisTestResource.class)
class AdminQueriesTest extends HttpTestBase {

    private static ValidatableResponse get(String path) {
        return given().header("Authorization", "Bearer admin-secret").when().get(path).then();
    }

    private static ValidatableResponse post(String path, Map<String, Object> body) {
        return given().header("Authorization", "Bearer admin-secret").contentType(ContentType.JSON).body(body).when().post(path)
                .then();
    }

    private static void use(String identifier, String resource) {
        post("/v1/check", Map.of("identifier", identifier, "resource", resource, "tier", "pro")).statusCode(200);
    }

    @Test
    void windowOfARuleMayBeLeftOut() {
        use("user:alice", "api:/campaigns");
        get("/v1/usage?identifier=user:alice&resource=api:/campaigns").statusCode(200).body("current", is(1)).body("hint",
                nullValue());
        get("/v1/usage?identifier=user:alice&resource=api:/auth/register").statusCode(200).body("current", is(0));
        get("/v1/usage?identifier=user:alice&resource=llm:openai").statusCode(200).body("current", is(0));
    }

    @ParameterizedTest
    @CsvSource({"/v1/usage?identifier=a&resource=b, window_seconds, window_seconds is missing",
            "/v1/usage?identifier=a&window_seconds=60, resource, resource is missing",
            "/v1/usage?resource=a&window_seconds=60, identifier, identifier is missing",
            "/v1/usage?identifier=a&resource=b&window_seconds=, window_seconds, must be a whole number",
            "/v1/limits?identifier=a&resource=, resource, must have 1 to 256 characters"})
    void errorsSayWhatIsMissing(String path, String field, String message) {
        get(path).statusCode(400).body("error.details.field", is(field)).body("error.message", containsString(message));
    }

    @Test
    void hintsWhereNothingWasUsed() {
        use("user:alice", "api:/campaigns");
        get("/v1/usage?identifier=user:alice&resource=/campaigns&window_seconds=60").statusCode(200)
                .body("hint", is("did you mean resource=api:/campaigns?"));
        get("/v1/usage?identifier=alice&resource=api:/campaigns&window_seconds=60").statusCode(200)
                .body("hint", containsString("did you mean identifier=user:alice?"));
        get("/v1/limits?identifier=alice").statusCode(200).body("limits", anEmptyMap())
                .body("hint", containsString("did you mean identifier=user:alice?"));
        get("/v1/limits?identifier=user:alice").statusCode(200).body("hint", nullValue());
        get("/v1/limits?identifier=user:bob").statusCode(200).body("limits", anEmptyMap()).body("hint", nullValue());
    }

    @Test
    void limitsOfOneResource() {
        use("user:alice", "api:/campaigns");
        use("user:alice", "other");
        get("/v1/limits?identifier=user:alice&resource=other").statusCode(200).body("limits", is(Map.of("other", 1)));
        get("/v1/limits?identifier=user:alice&resource=/campaigns").statusCode(200).body("limits", anEmptyMap())
                .body("hint", is("did you mean resource=api:/campaigns?"));
    }

    @ParameterizedTest
    @CsvSource({"/v1/check", "/v1/llm/check"})
    void unknownTierIsRejected(String path) {
        for (var tier : new String[]{"gold", "Pro", ""}) {
            post(path, path.contains("llm")
                    ? Map.of("provider", "openai", "identifier", "x", "tier", tier)
                    : Map.of("identifier", "x", "resource", "api:/campaigns", "tier", tier)).statusCode(400)
                    .body("error.code", is("RATE_4001")).body("error.details.field", is("tier"))
                    .body("error.message", is("tier must be one of free, pro, enterprise"));
        }
        get("/v1/limits?identifier=x").body("limits", anEmptyMap());
    }

    @Test
    void rulesInForceHaveSources() {
        get("/v1/rules").statusCode(200)
                .body("tiers", is(List.of("free", "pro", "enterprise")))
                .body("default_rates.pro", is("100/minute"))
                .body("rules.find { it.resource == 'api:/auth/login' }.rates", is(Map.of("free", "5/minute", "pro", "10/minute",
                        "enterprise", "20/minute")))
                .body("rules.find { it.resource == 'api:/auth/login' }.source", is("built-in"))
                .body("llm.find { it.resource == 'llm:openai' }.rates.free", is("3/minute"))
                .body("llm.find { it.resource == 'llm:openai' }.source", is("built-in"))
                .body("file", nullValue());
        given().when().get("/v1/rules").then().statusCode(403);
    }
}
