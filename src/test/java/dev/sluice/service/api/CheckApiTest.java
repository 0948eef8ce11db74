package dev.sluice.service.api;

import static dev.sluice.testing.HttpTestClient.error;
import static dev.sluice.testing.HttpTestClient.header;
import static io.restassured.RestAssured.given;
import static io.restassured.RestAssured.when;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.allOf;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.containsInAnyOrder;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.greaterThan;
import static org.hamcrest.Matchers.hasItems;
import static org.hamcrest.Matchers.is;
import static org.hamcrest.Matchers.matchesPattern;
import static org.hamcrest.Matchers.nullValue;
import static org.hamcrest.Matchers.startsWith;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.Polling;
import dev.sluice.testing.RedisTestResource;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.RestAssured;
import io.restassured.http.ContentType;
import io.restassured.response.ValidatableResponse;
import io.vertx.core.json.JsonObject;

@QuarkusTest
@WithTestResource(RedisTestResource.class)
class CheckApiTest extends HttpTestBase {

    private static String body(String identifier, String resource, long limit, long seconds) {
        return new JsonObject().put("identifier", identifier).put("resource", resource).put("limit", limit)
                .put("window_seconds", seconds).encode();
    }

    private static ValidatableResponse check(String body) {
        return given().contentType(ContentType.JSON).body(body).when().post("/v1/check").then();
    }

    private long used(String identifier, Duration window) {
        return admin.usage(identifier, "r", window).await().indefinitely().used();
    }

    @Test
    void allowedResponseMatchesTheContract() {
        long before = System.currentTimeMillis() / 1000;
        var response = check("""
                {"identifier":"user123","resource":"custom_operation","limit":10,"window_seconds":60,"cost":1}""")
                .statusCode(200)
                .body("keySet()", contains("allowed", "limit", "remaining", "window_seconds", "reset_at", "retry_after"))
                .body("allowed", is(true))
                .body("limit", is(10))
                .body("remaining", is(9))
                .body("window_seconds", is(60))
                .body("retry_after", is(0))
                .header("X-RateLimit-Limit", "10")
                .header("X-RateLimit-Remaining", "9")
                .header("RateLimit-Policy", "\"custom_operation\";q=10;w=60")
                .header("RateLimit", "\"custom_operation\";r=9;t=60")
                .header("X-RateLimit-Mode", nullValue())
                .header("Retry-After", nullValue());
        int resetAt = response.extract().path("reset_at");
        assertThat((long) resetAt).isBetween(before + 59, System.currentTimeMillis() / 1000 + 61);
        response.header("X-RateLimit-Reset", Integer.toString(resetAt));
    }

    @Test
    void deniedResponseMatchesTheContract() {
        long before = System.nanoTime();
        for (int i = 0; i < 2; i++) {
            check(body("denied", "r", 2, 60));
        }
        var response = check(body("denied", "r", 2, 60))
                .statusCode(429)
                .header("Content-Type", "application/json")
                .header("X-RateLimit-Remaining", "0")
                .body("error.code", is("RATE_5001"))
                .body("error.message", is("Rate limit exceeded"))
                .body("error.details.keySet()", contains("limit", "window_seconds", "reset_at", "retry_after"))
                .body("error.details.limit", is(2))
                .body("error.details.window_seconds", is(60));
        int retryAfter = response.extract().path("error.details.retry_after");
        int elapsed = (int) TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - before);
        assertThat(retryAfter).isBetween(60 - elapsed - 1, 60);
        response.header("Retry-After", Integer.toString(retryAfter));
    }

    @Test
    void requestAfterRetryAfterIsAllowed() {
        var body = body("patient", "r", 1, 1);
        check(body).statusCode(200);
        // A pause of the machine may be longer than the window: then, the next request is admitted as well.
        var retryAfter = Polling.await().until(() -> check(body).extract().header("Retry-After"), Objects::nonNull);
        var wait = Duration.ofSeconds(Long.parseLong(retryAfter));
        var attempts = new AtomicInteger();
        Polling.await().pollDelay(wait).atMost(wait.plusSeconds(60)).until(() -> {
            attempts.incrementAndGet();
            return check(body).extract().statusCode() == 200;
        });
        assertThat(attempts).hasValue(1);
    }

    @Test
    void problemJsonIsReturnedIfItIsTheOnlyAcceptedType() {
        var body = body("problem", "r", 1, 60);
        check(body);
        given().contentType(ContentType.JSON).accept("application/problem+json").body(body)
                .when().post("/v1/check")
                .then().statusCode(429)
                .header("Content-Type", "application/problem+json")
                .body("type", is("https://iana.org/assignments/http-problem-types#quota-exceeded"))
                .body("status", is(429))
                .body("'violated-policies'", is(List.of("r")));
        given().contentType(ContentType.JSON).accept("application/problem+json, application/json;q=0.5").body(body)
                .when().post("/v1/check")
                .then().header("Content-Type", "application/json");
    }

    @Test
    void costIsConsumedAtomically() {
        check("{\"identifier\":\"cost\",\"resource\":\"r\",\"limit\":10,\"window_seconds\":60,\"cost\":5}")
                .body("remaining", is(5));
        check("{\"identifier\":\"cost\",\"resource\":\"r\",\"limit\":10,\"window_seconds\":60,\"cost\":6}")
                .statusCode(429);
        assertThat(used("cost", Duration.ofSeconds(60))).isEqualTo(5);
    }

    @Test
    void costOfZeroIsAQuery() {
        var query = "{\"identifier\":\"zero\",\"resource\":\"r\",\"limit\":1,\"window_seconds\":60,\"cost\":0}";
        check(query).body("remaining", is(1));
        check(body("zero", "r", 1, 60));
        check(query).statusCode(200).body("allowed", is(false)).body("retry_after", greaterThan(0));
        assertThat(used("zero", Duration.ofSeconds(60))).isEqualTo(1);
    }

    @Test
    void costAboveTheLimitIsRejected() {
        check("{\"identifier\":\"above\",\"resource\":\"r\",\"rate\":\"100/hour;5/s\",\"cost\":6}")
                .statusCode(400)
                .body("error.code", is("RATE_4002"))
                .body("error.details.field", is("cost"));
    }

    @Test
    void severalRatesAreAllOrNothing() {
        var body = "{\"identifier\":\"several\",\"resource\":\"r\",\"rate\":\"2/hour;100/day\"}";
        check(body);
        check(body)
                .header("RateLimit-Policy", "\"r/3600\";q=2;w=3600, \"r/86400\";q=100;w=86400")
                .header("RateLimit", allOf(startsWith("\"r/3600\";r=0;t="), containsString(", \"r/86400\";r=98;t=")))
                .header("X-RateLimit-Limit", "2");
        check(body).statusCode(429);
        assertThat(used("several", Duration.ofDays(1))).isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource({"api:/campaigns,pro,100", "api:/auth/login,free,5", "mine,enterprise,1000"})
    void configuredRulesApplyByTier(String resource, String tier, int limit) {
        check("{\"identifier\":\"t\",\"resource\":\"" + resource + "\",\"tier\":\"" + tier + "\"}").body("limit", is(limit));
        assertThat(admin.limits("t").await().indefinitely()).containsOnlyKeys(resource);
    }

    @Test
    void tierChangeKeepsUsage() {
        for (int i = 0; i < 10; i++) {
            check("{\"identifier\":\"up\",\"resource\":\"api:/campaigns\",\"tier\":\"free\"}");
        }
        check("{\"identifier\":\"up\",\"resource\":\"api:/campaigns\",\"tier\":\"pro\"}").body("remaining", is(89));
    }

    @Test
    void unlimitedAndBlockedAreRates() {
        check("{\"identifier\":\"u\",\"resource\":\"r\",\"rate\":\"unlimited\"}")
                .body("allowed", is(true))
                .body("limit", nullValue());
        check("{\"identifier\":\"u\",\"resource\":\"r\",\"rate\":\"blocked\"}")
                .statusCode(429)
                .header("Retry-After", nullValue())
                .body("error.details.limit", is(0));
    }

    @ParameterizedTest
    @ValueSource(strings = {"user:alice", "ip:10.0.0.1"})
    void reservedIdentifiersRequireTheApiToken(String identifier) {
        check(body(identifier, "r", 10, 60))
                .statusCode(403)
                .body("error.code", is("RATE_4031"))
                .body("error.message", containsString("RATE_LIMIT_API_TOKEN"));
        assertThat(admin.limits(identifier).await().indefinitely()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
            "``|body", "{|body", "[]|body", "null|body", "3|body", "\"x\"|body", "{} {}|body", "nonsense|body",
            "{\"identifier\":\"a\",\"identifier\":\"b\",\"resource\":\"r\",\"limit\":1,\"window_seconds\":1}|body",
            "{\"resource\":\"r\",\"limit\":1,\"window_seconds\":1}|identifier",
            "{\"identifier\":null,\"resource\":\"r\",\"limit\":1,\"window_seconds\":1}|identifier",
            "{\"identifier\":\"\",\"resource\":\"r\",\"limit\":1,\"window_seconds\":1}|identifier",
            "{\"identifier\":5,\"resource\":\"r\",\"limit\":1,\"window_seconds\":1}|identifier",
            "{\"identifier\":{},\"resource\":\"r\",\"limit\":1,\"window_seconds\":1}|identifier",
            "{\"identifier\":\"\\ud83d\",\"resource\":\"r\",\"limit\":1,\"window_seconds\":1}|identifier",
            "{\"identifier\":\"a\",\"limit\":1,\"window_seconds\":1}|resource",
            "{\"identifier\":\"a\",\"resource\":\"\",\"limit\":1,\"window_seconds\":1}|resource",
            "{\"identifier\":\"a\",\"resource\":\"\\udc00x\",\"limit\":1,\"window_seconds\":1}|resource",
            "{\"identifier\":\"a\",\"resource\":\"r\"}|limit",
            "{\"identifier\":\"a\",\"resource\":\"r\",\"window_seconds\":1}|limit",
            "{\"identifier\":\"a\",\"resource\":\"r\",\"limit\":1}|window_seconds",
            "{\"identifier\":\"a\",\"resource\":\"r\",\"limit\":0,\"window_seconds\":1}|limit",
            "{\"identifier\":\"a\",\"resource\":\"r\",\"limit\":-1,\"window_seconds\":1}|limit",
            "{\"identifier\":\"a\",\"resource\":\"r\",\"limit\":1.5,\"window_seconds\":1}|limit",
            "{\"identifier\":\"a\",\"resource\":\"r\",\"limit\":1e3,\"window_seconds\":1}|limit",
            "{\"identifier\":\"a\",\"resource\":\"r\",\"limit\":\"1\",\"window_seconds\":1}|limit",
            "{\"identifier\":\"a\",\"resource\":\"r\",\"limit\":true,\"window_seconds\":1}|limit",
            "{\"identifier\":\"a\",\"resource\":\"r\",\"limit\":1000000001,\"window_seconds\":1}|limit",
            "{\"identifier\":\"a\",\"resource\":\"r\",\"limit\":99999999999999999999999,\"window_seconds\":1}|limit",
            "{\"identifier\":\"a\",\"resource\":\"r\",\"limit\":1,\"window_seconds\":0}|window_seconds",
            "{\"identifier\":\"a\",\"resource\":\"r\",\"limit\":1,\"window_seconds\":2678401}|window_seconds",
            "{\"identifier\":\"a\",\"resource\":\"r\",\"limit\":1,\"window_seconds\":1,\"cost\":-1}|cost",
            "{\"identifier\":\"a\",\"resource\":\"r\",\"limit\":1,\"window_seconds\":1,\"cost\":0.5}|cost",
            "{\"identifier\":\"a\",\"resource\":\"r\",\"limit\":1,\"window_seconds\":1,\"cost\":\"1\"}|cost",
            "{\"identifier\":\"a\",\"resource\":\"r\",\"limit\":1,\"window_seconds\":1,\"cots\":1}|cots",
            "{\"identifier\":\"a\",\"resource\":\"r\",\"limit\":1,\"window_seconds\":1,\"rate\":\"1/s\"}|limit",
            "{\"identifier\":\"a\",\"resource\":\"r\",\"limit\":1,\"tier\":\"free\"}|limit",
            "{\"identifier\":\"a\",\"resource\":\"r\",\"rate\":\"1/s\",\"tier\":\"free\"}|rate",
            "{\"identifier\":\"a\",\"resource\":\"r\",\"rate\":\"often\"}|rate",
            "{\"identifier\":\"a\",\"resource\":\"r\",\"rate\":7}|rate",
            "{\"identifier\":\"a\",\"resource\":\"r\",\"tier\":7}|tier"})
    void invalidInputNamesTheField(String body, String field) {
        check(body)
                .statusCode(400)
                .body("error.code", is("RATE_4001"))
                .body("error.details.field", is(field));
    }

    /** @param identifier the invalid bytes, one a character */
    @ParameterizedTest
    @ValueSource(strings = {"\u00C0\u00AF", "\u00FF", "\u00ED\u00A0\u0080"})
    void bodyThatIsNotUtf8IsRejected(String identifier) {
        given().contentType(ContentType.JSON).body(body(identifier, "r", 1, 60).getBytes(ISO_8859_1))
                .when().post("/v1/check")
                .then().statusCode(400);
    }

    @Test
    void identifierMayHave256Characters() {
        check(body("x".repeat(256), "r".repeat(256), 1, 60)).statusCode(200);
        check(body("x".repeat(256), "r".repeat(256), 1, 60)).statusCode(429);
        check(body("x".repeat(257), "r", 1, 60)).statusCode(400);
        check(body("x", "r".repeat(257), 1, 60)).statusCode(400);
    }

    /** JSON Schema counts characters outside the basic plane once. */
    @Test
    void identifierMayHave256CharactersOutsideTheBasicPlane() {
        var longest = "😀".repeat(256);
        check(body(longest, longest, 1, 60)).statusCode(200);
        check(body(longest, longest, 1, 60)).statusCode(429);
        check(body(longest + 'x', "r", 1, 60)).statusCode(400);
        check(body("x", longest + 'x', 1, 60)).statusCode(400);
    }

    @Test
    void unusualIdentifiersAreCountedSeparately() {
        var names = List.of("a\u0000b", "a\r\nb", "a\nb", "{a}", "a:b", "a b", "\uD83D\uDE00", "\"", "\\", "ä", "../a", "a*",
                "%00", "User:x", " user:x");
        for (var name : names) {
            for (var resource : names) {
                check(body(name, resource, 1, 60)).statusCode(200).header("RateLimit-Policy",
                        matchesPattern("\"[ -~]+\";q=1;w=60"));
                check(body(name, resource, 1, 60)).statusCode(429);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"GET,/v1/usage?identifier=a&resource=b&window_seconds=60", "GET,/v1/limits?identifier=a",
            "DELETE,/v1/limits?identifier=a", "DELETE,/v1/limits?all=true"})
    void adminEndpointsAreForbiddenWithoutConfiguredToken(String method, String path) {
        given().header("Authorization", "Bearer guess")
                .when().request(method, path)
                .then().statusCode(403)
                .body("error.code", is("RATE_4031"))
                .body("error.message", containsString("RATE_LIMIT_ADMIN_TOKEN"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/api/v1/campaigns", "/v1", "/v1/nothing", "/q/nothing", "/v1/llm/nothing", "/openai"})
    void unknownPathIs404AndConsumesNothing(String path) {
        when().get(path)
                .then().statusCode(404)
                .header("X-RateLimit-Limit", nullValue())
                .body("error.code", is("RATE_4041"));
        assertThat(admin.limits("ip:127.0.0.1").await().indefinitely()).isEmpty();
    }

    @Test
    void pathBelowTheEndpointIs404() {
        given().contentType(ContentType.JSON).body("{}").when().post("/v1/check/x").then().statusCode(404);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/check/", "/v1/check;a=b", "/v1;x/check", "/v1/%63heck", "/v1/check?x=1"})
    void equivalentPathsReachTheEndpoint(String path) {
        given().contentType(ContentType.JSON).body(body("spelled " + path, "r", 2, 60))
                .when().post(path)
                .then().statusCode(200)
                .body("remaining", is(1));
        when().get(path).then().statusCode(405);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"Accept|text/plain|200", "Accept|*/*;q=0|200", "Accept|application/*|200",
            "Accept|text/plain,|200", "Accept|garbage|406", "Accept|text/plain, garbage|406", "Accept|a/b/c|406",
            "Accept|,text/plain|406", "Accept|/a|406", "Accept|a/|406", "Content-Type|text/plain|200",
            "Content-Type|application/json; charset=utf-8|200", "Content-Type|multipart/form-data|200", "Content-Type|*/*|200",
            "Content-Type|garbage|415", "Content-Type|a/b/c|415", "Content-Type|a/b, c/d|415", "Content-Type|;;;|415"})
    void mediaTypesAreParsedLeniently(String name, String value, int status) {
        // REST Assured refuses to send a body of a type that it does not know.
        var encoder = RestAssured.config().getEncoderConfig().encodeContentTypeAs(value, ContentType.TEXT);
        given().config(RestAssured.config().encoderConfig(encoder))
                .contentType(ContentType.JSON).header(name, value)
                .body(body("media " + value, "r", 2, 60))
                .when().post("/v1/check")
                .then().statusCode(status)
                .header("Content-Type", "application/json")
                .body(containsString(switch (status) {
                    case 200 -> "\"allowed\":true";
                    case 406 -> "RATE_4061";
                    default -> "RATE_4001";
                }));
    }

    /** Not by REST Assured, which sends no body without a Content-Type. */
    @Test
    void contentTypeIsOptional() {
        assertThat(http.post("/v1/check", body("untyped", "r", 1, 60)).statusCode()).isEqualTo(200);
        assertThat(http.post("/v1/check", body("untyped", "r", 1, 60)).statusCode()).isEqualTo(429);
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET", "PUT", "DELETE", "PATCH"})
    void otherMethodsAreNotAllowed(String method) {
        when().request(method, "/v1/check")
                .then().statusCode(405)
                .header("Allow", "POST, OPTIONS")
                .body("error.code", is("RATE_4051"));
    }

    @Test
    void headIsNotAllowed() {
        when().head("/v1/check").then().statusCode(405).header("Allow", "POST, OPTIONS");
    }

    /** Not by REST Assured, which sends every method in upper case. */
    @Test
    void methodsAreCaseSensitive() {
        var response = http.send("post", "/v1/check", null);
        assertThat(response.statusCode()).isEqualTo(405);
        assertThat(header(response, "Allow")).isEqualTo("POST, OPTIONS");
        assertThat(error(response).getString("code")).isEqualTo("RATE_4051");
    }

    @Test
    void optionsNameTheAllowedMethods() {
        when().options("/v1/check").then().statusCode(200).header("Allow", "POST, OPTIONS");
    }

    @Test
    void openApiDescribesTheEndpoints() {
        var response = when().get("/q/openapi?format=json")
                .then().statusCode(200)
                .body("info.title", is("Sluice"))
                .body("paths.keySet()",
                        hasItems("/v1/check", "/v1/usage", "/v1/limits", "/v1/rules", "/v1/rules/try", "/v1/prices",
                                "/v1/llm/check",
                                "/v1/llm/usage", "/v1/forward-auth", "/v1/ext-authz/{path}"))
                .body("paths.'/v1/forward-auth'.get.responses.keySet()", hasItems("200", "400", "401", "403", "429", "503"))
                .body("paths.'/v1/check'.post.responses.keySet()", hasItems("200", "400", "401", "403", "429", "503"))
                .body("paths.'/v1/check'.post.toString()", containsString("custom_operation"))
                .body("paths.'/v1/limits'.keySet()", hasItems("get", "delete"))
                .body("paths.'/v1/leases'.post.responses.keySet()", hasItems("201", "400", "401", "403", "429", "503"))
                .body("paths.'/v1/leases/{lease}'.put.responses.keySet()",
                        hasItems("200", "400", "401", "403", "404", "429", "503"))
                .body("paths.'/v1/leases/{lease}'.delete.responses.keySet()",
                        hasItems("204", "401", "403", "404", "429", "503"))
                .body("paths.'/v1/keys'.keySet()", hasItems("get", "post"))
                .body("paths.'/v1/keys/{id}'.keySet()", hasItems("get", "patch", "delete"))
                .body("paths.'/v1/keys/{id}/rotate'.post.responses.keySet()",
                        hasItems("200", "400", "401", "403", "404", "409", "412", "429", "503"))
                .body("paths.'/v1/teams/{name}'.keySet()", hasItems("get", "put", "patch", "delete"))
                .body("paths.'/v1/events'.get.responses.'200'.content.keySet()", hasItems("text/event-stream"))
                .body("paths.keySet()",
                        hasItems("/v1/overview", "/v1/traffic", "/v1/windows", "/v1/identifiers", "/v1/users", "/v1/orgs",
                                "/v1/audit", "/v1/export", "/v1/import"))
                .body("components.securitySchemes.keySet()", containsInAnyOrder("admin-token", "api-token"))
                .body("components.schemas.keySet()",
                        containsInAnyOrder("Check", "Decision", "Error", "ErrorBody", "Limits", "Usage", "Rules", "Rule",
                                "RulesFile", "LlmCheck",
                                "LlmDecision", "LlmUsed", "LlmAccount", "LlmProviderTally", "LlmTally", "LlmUsageDetail",
                                "LlmPrices", "LlmPrice", "LlmPriceTier", "LlmPriceList", "LlmSpend", "LlmSpendRow",
                                "LlmSpendTotals", "RuleTrialRequest", "RuleTrial", "RuleTrialCaller", "RuleTrialRule",
                                "RuleTrialQuota", "Lease", "LeaseRequest", "LeaseRenewal", "Key", "User", "Team", "Org",
                                "Overview", "OverviewStore", "OverviewSpend", "OverviewSpendPeriod", "TokenAccess",
                                "DecisionTotals", "Traffic", "TrafficRule", "TrafficMinute", "TrafficCaller", "Windows",
                                "Window", "Identifiers", "Identifier"))
                .extract();
        Map<String, Map<String, ?>> components = response.path("components");
        var references = Pattern.compile("\"#/components/(\\w+)/([^\"]+)\"").matcher(response.asString());
        int found = 0;
        for (; references.find(); found++) {
            assertThat(components.get(references.group(1))).containsKey(references.group(2));
        }
        assertThat(found).isGreaterThan(20);
    }

    /** Not by REST Assured, which reads no response before it has sent the body. */
    @Test
    void oversizedBodyIsRejectedWithErrorBody() {
        var response = http.post("/v1/check", "x".repeat(2 << 20));
        assertThat(response.statusCode()).isEqualTo(413);
        assertThat(error(response).getString("code")).isEqualTo("RATE_4131");
    }
}
