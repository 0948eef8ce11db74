package dev.sluice.service.api;

import static dev.sluice.testing.HttpTestClient.error;
import static dev.sluice.testing.HttpTestClient.header;
import static dev.sluice.testing.HttpTestClient.json;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;

import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.RedisTestResource;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.vertx.core.json.JsonObject;

@QuarkusTest
@WithTestResource(RedisTestResource.class)
class CheckApiTest extends HttpTestBase {

    private static String check(String identifier, String resource, long limit, long seconds) {
        return new JsonObject().put("identifier", identifier).put("resource", resource).put("limit", limit)
                .put("window_seconds", seconds).encode();
    }

    @Test
    void allowedResponseMatchesTheContract() {
        long before = System.currentTimeMillis() / 1000;
        var response = http.post("/v1/check", """
                {"identifier":"user123","resource":"custom_operation","limit":10,"window_seconds":60,"cost":1}""");
        assertThat(response.statusCode()).isEqualTo(200);
        var body = json(response);
        assertThat(body.fieldNames()).containsExactly("allowed", "limit", "remaining", "window_seconds", "reset_at",
                "retry_after");
        assertThat(body.getBoolean("allowed")).isTrue();
        assertThat(body.getLong("limit")).isEqualTo(10);
        assertThat(body.getLong("remaining")).isEqualTo(9);
        assertThat(body.getLong("window_seconds")).isEqualTo(60);
        assertThat(body.getLong("reset_at")).isBetween(before + 59, before + 70);
        assertThat(body.getLong("retry_after")).isZero();
        assertThat(header(response, "X-RateLimit-Limit")).isEqualTo("10");
        assertThat(header(response, "X-RateLimit-Remaining")).isEqualTo("9");
        assertThat(header(response, "X-RateLimit-Reset")).isEqualTo(body.getLong("reset_at").toString());
        assertThat(header(response, "RateLimit-Policy")).isEqualTo("\"custom_operation\";q=10;w=60");
        assertThat(header(response, "RateLimit")).isEqualTo("\"custom_operation\";r=9;t=60");
        assertThat(header(response, "X-RateLimit-Mode")).isNull();
        assertThat(header(response, "Retry-After")).isNull();
    }

    @Test
    void deniedResponseMatchesTheContract() {
        for (int i = 0; i < 2; i++) {
            http.post("/v1/check", check("denied", "r", 2, 60));
        }
        var response = http.post("/v1/check", check("denied", "r", 2, 60));
        assertThat(response.statusCode()).isEqualTo(429);
        assertThat(header(response, "Content-Type")).isEqualTo("application/json");
        assertThat(error(response).getString("code")).isEqualTo("RATE_5001");
        assertThat(error(response).getString("message")).isEqualTo("Rate limit exceeded");
        var details = error(response).getJsonObject("details");
        assertThat(details.fieldNames()).containsExactly("limit", "window_seconds", "reset_at", "retry_after");
        assertThat(details.getLong("limit")).isEqualTo(2);
        assertThat(details.getLong("window_seconds")).isEqualTo(60);
        assertThat(details.getLong("retry_after")).isBetween(50L, 60L);
        assertThat(header(response, "Retry-After")).isEqualTo(details.getLong("retry_after").toString());
        assertThat(header(response, "X-RateLimit-Remaining")).isEqualTo("0");
    }

    @Test
    void requestAfterRetryAfterIsAllowed() {
        var body = check("patient", "r", 1, 1);
        assertThat(http.post("/v1/check", body).statusCode()).isEqualTo(200);
        var denied = http.post("/v1/check", body);
        assertThat(denied.statusCode()).isEqualTo(429);
        var wait = Duration.ofSeconds(Long.parseLong(header(denied, "Retry-After")));
        var attempts = new AtomicInteger();
        Awaitility.await().pollDelay(wait).atMost(wait.plusSeconds(20)).until(() -> {
            attempts.incrementAndGet();
            return http.post("/v1/check", body).statusCode() == 200;
        });
        assertThat(attempts).hasValue(1);
    }

    @Test
    void problemJsonIsReturnedIfItIsTheOnlyAcceptedType() {
        http.post("/v1/check", check("problem", "r", 1, 60));
        var response = http.post("/v1/check", check("problem", "r", 1, 60), "Accept", "application/problem+json");
        assertThat(response.statusCode()).isEqualTo(429);
        assertThat(header(response, "Content-Type")).isEqualTo("application/problem+json");
        assertThat(json(response).getString("type"))
                .isEqualTo("https://iana.org/assignments/http-problem-types#quota-exceeded");
        assertThat(json(response).getInteger("status")).isEqualTo(429);
        assertThat(json(response).getJsonArray("violated-policies").encode()).isEqualTo("[\"r\"]");
        var both = http.post("/v1/check", check("problem", "r", 1, 60), "Accept",
                "application/problem+json, application/json;q=0.5");
        assertThat(header(both, "Content-Type")).isEqualTo("application/json");
    }

    @Test
    void costIsConsumedAtomically() {
        var five = http.post("/v1/check", "{\"identifier\":\"cost\",\"resource\":\"r\",\"limit\":10,\"window_seconds\":60,"
                + "\"cost\":5}");
        assertThat(json(five).getLong("remaining")).isEqualTo(5);
        var six = http.post("/v1/check", "{\"identifier\":\"cost\",\"resource\":\"r\",\"limit\":10,\"window_seconds\":60,"
                + "\"cost\":6}");
        assertThat(six.statusCode()).isEqualTo(429);
        assertThat(admin.usage("cost", "r", Duration.ofSeconds(60)).await().indefinitely().used()).isEqualTo(5);
    }

    @Test
    void costOfZeroIsAQuery() {
        var query = "{\"identifier\":\"zero\",\"resource\":\"r\",\"limit\":1,\"window_seconds\":60,\"cost\":0}";
        assertThat(json(http.post("/v1/check", query)).getLong("remaining")).isEqualTo(1);
        http.post("/v1/check", check("zero", "r", 1, 60));
        var full = http.post("/v1/check", query);
        assertThat(full.statusCode()).isEqualTo(200);
        assertThat(json(full).getBoolean("allowed")).isFalse();
        assertThat(json(full).getLong("retry_after")).isPositive();
        assertThat(admin.usage("zero", "r", Duration.ofSeconds(60)).await().indefinitely().used()).isEqualTo(1);
    }

    @Test
    void costAboveTheLimitIsRejected() {
        var response = http.post("/v1/check",
                "{\"identifier\":\"above\",\"resource\":\"r\",\"rate\":\"100/hour;5/s\",\"cost\":6}");
        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(error(response).getString("code")).isEqualTo("RATE_4002");
        assertThat(error(response).getJsonObject("details").getString("field")).isEqualTo("cost");
    }

    @Test
    void severalRatesAreAllOrNothing() {
        var body = "{\"identifier\":\"several\",\"resource\":\"r\",\"rate\":\"2/hour;100/day\"}";
        http.post("/v1/check", body);
        var second = http.post("/v1/check", body);
        assertThat(header(second, "RateLimit-Policy")).isEqualTo("\"r/3600\";q=2;w=3600, \"r/86400\";q=100;w=86400");
        assertThat(header(second, "RateLimit")).startsWith("\"r/3600\";r=0;t=").contains(", \"r/86400\";r=98;t=");
        assertThat(header(second, "X-RateLimit-Limit")).isEqualTo("2");
        assertThat(http.post("/v1/check", body).statusCode()).isEqualTo(429);
        assertThat(admin.usage("several", "r", Duration.ofDays(1)).await().indefinitely().used()).isEqualTo(2);
    }

    @Test
    void configuredRulesApplyByTier() {
        var pro = http.post("/v1/check", "{\"identifier\":\"t\",\"resource\":\"api:/campaigns\",\"tier\":\"pro\"}");
        assertThat(json(pro).getLong("limit")).isEqualTo(100);
        var unknown = http.post("/v1/check", "{\"identifier\":\"t\",\"resource\":\"api:/auth/login\",\"tier\":\"x\"}");
        assertThat(json(unknown).getLong("limit")).isEqualTo(5);
        var none = http.post("/v1/check", "{\"identifier\":\"t\",\"resource\":\"mine\",\"tier\":\"enterprise\"}");
        assertThat(json(none).getLong("limit")).isEqualTo(1000);
        assertThat(admin.limits("t").await().indefinitely()).containsOnlyKeys("api:/campaigns", "api:/auth/login",
                "mine");
    }

    @Test
    void tierChangeKeepsUsage() {
        for (int i = 0; i < 10; i++) {
            http.post("/v1/check", "{\"identifier\":\"up\",\"resource\":\"api:/campaigns\",\"tier\":\"free\"}");
        }
        var pro = http.post("/v1/check", "{\"identifier\":\"up\",\"resource\":\"api:/campaigns\",\"tier\":\"pro\"}");
        assertThat(json(pro).getLong("remaining")).isEqualTo(89);
    }

    @Test
    void unlimitedAndBlockedAreRates() {
        var unlimited = http.post("/v1/check", "{\"identifier\":\"u\",\"resource\":\"r\",\"rate\":\"unlimited\"}");
        assertThat(json(unlimited).getBoolean("allowed")).isTrue();
        assertThat(json(unlimited).getValue("limit")).isNull();
        var blocked = http.post("/v1/check", "{\"identifier\":\"u\",\"resource\":\"r\",\"rate\":\"blocked\"}");
        assertThat(blocked.statusCode()).isEqualTo(429);
        assertThat(header(blocked, "Retry-After")).isNull();
        assertThat(error(blocked).getJsonObject("details").getLong("limit")).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"user:alice", "ip:10.0.0.1"})
    void reservedIdentifiersRequireTheApiToken(String identifier) {
        var response = http.post("/v1/check", check(identifier, "r", 10, 60));
        assertThat(response.statusCode()).isEqualTo(403);
        assertThat(error(response).getString("code")).isEqualTo("RATE_4031");
        assertThat(error(response).getString("message")).contains("RATE_LIMIT_API_TOKEN");
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
        var response = http.post("/v1/check", body);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(400);
        assertThat(error(response).getString("code")).isEqualTo("RATE_4001");
        assertThat(error(response).getJsonObject("details").getString("field")).isEqualTo(field);
    }

    @Test
    void bodyThatIsNotUtf8IsRejected() throws Exception {
        var head = "{\"identifier\":\"".getBytes(StandardCharsets.US_ASCII);
        var tail = "\",\"resource\":\"r\",\"limit\":1,\"window_seconds\":60}".getBytes(StandardCharsets.US_ASCII);
        for (var bytes : List.of(new byte[]{(byte) 0xC0, (byte) 0xAF}, new byte[]{(byte) 0xFF},
                new byte[]{(byte) 0xED, (byte) 0xA0, (byte) 0x80})) {
            var body = ByteBuffer.allocate(200).put(head).put(bytes).put(tail);
            var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/v1/check"))
                    .POST(HttpRequest.BodyPublishers.ofByteArray(body.array(), 0, body.position())).build();
            var response = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
            assertThat(response.statusCode()).isEqualTo(400);
        }
    }

    @Test
    void identifierMayHave256Characters() {
        assertThat(http.post("/v1/check", check("x".repeat(256), "r".repeat(256), 1, 60)).statusCode()).isEqualTo(200);
        assertThat(http.post("/v1/check", check("x".repeat(256), "r".repeat(256), 1, 60)).statusCode()).isEqualTo(429);
        assertThat(http.post("/v1/check", check("x".repeat(257), "r", 1, 60)).statusCode()).isEqualTo(400);
        assertThat(http.post("/v1/check", check("x", "r".repeat(257), 1, 60)).statusCode()).isEqualTo(400);
    }

    @Test
    void unusualIdentifiersAreCountedSeparately() {
        var names = List.of("a\u0000b", "a\r\nb", "a\nb", "{a}", "a:b", "a b", "\uD83D\uDE00", "\"", "\\", "ä", "../a", "a*",
                "%00",
                "User:x", " user:x");
        for (var name : names) {
            for (var resource : names) {
                var first = http.post("/v1/check", check(name, resource, 1, 60));
                assertThat(first.statusCode()).as("%s %s", name, resource).isEqualTo(200);
                assertThat(header(first, "RateLimit-Policy")).matches("\"[ -~]+\";q=1;w=60");
                assertThat(http.post("/v1/check", check(name, resource, 1, 60)).statusCode()).isEqualTo(429);
            }
        }
    }

    @Test
    void adminEndpointsAreForbiddenWithoutConfiguredToken() {
        for (var call : List.of("GET /v1/usage?identifier=a&resource=b&window_seconds=60", "GET /v1/limits?identifier=a",
                "DELETE /v1/limits?identifier=a", "DELETE /v1/limits?all=true")) {
            var parts = call.split(" ");
            var response = http.send(parts[0], parts[1], null, "Authorization", "Bearer guess");
            assertThat(response.statusCode()).as(call).isEqualTo(403);
            assertThat(error(response).getString("code")).isEqualTo("RATE_4031");
            assertThat(error(response).getString("message")).contains("RATE_LIMIT_ADMIN_TOKEN");
        }
    }

    @Test
    void unknownPathIs404AndConsumesNothing() {
        for (var path : List.of("/", "/api/v1/campaigns", "/v1", "/v1/nothing", "/q/nothing", "/v1/llm/nothing", "/openai")) {
            var response = http.get(path);
            assertThat(response.statusCode()).as(path).isEqualTo(404);
            assertThat(error(response).getString("code")).isEqualTo("RATE_4041");
            assertThat(header(response, "X-RateLimit-Limit")).isNull();
        }
        assertThat(admin.limits("ip:127.0.0.1").await().indefinitely()).isEmpty();
        assertThat(http.get("/v1/check").statusCode()).isEqualTo(405);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/check/", "/v1/check;a=b", "/v1;x/check", "/v1/%63heck", "/v1/check?x=1"})
    void equivalentPathsReachTheEndpoint(String path) {
        var response = http.post(path, check("spelled " + path, "r", 2, 60));
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(json(response).getLong("remaining")).isEqualTo(1);
        assertThat(http.get(path).statusCode()).isEqualTo(405);
        assertThat(http.post("/v1/check/x", "{}").statusCode()).isEqualTo(404);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"Accept|text/plain|200", "Accept|*/*;q=0|200", "Accept|application/*|200",
            "Accept|text/plain,|200", "Accept|garbage|406", "Accept|text/plain, garbage|406", "Accept|a/b/c|406",
            "Accept|,text/plain|406", "Accept|/a|406", "Accept|a/|406", "Content-Type|text/plain|200",
            "Content-Type|application/json; charset=utf-8|200", "Content-Type|multipart/form-data|200", "Content-Type|*/*|200",
            "Content-Type|garbage|415", "Content-Type|a/b/c|415", "Content-Type|a/b, c/d|415", "Content-Type|;;;|415"})
    void mediaTypesAreParsedLeniently(String name, String value, int status) {
        var response = http.post("/v1/check", check("media " + value, "r", 2, 60), name, value);
        assertThat(response.statusCode()).isEqualTo(status);
        assertThat(header(response, "Content-Type")).isEqualTo("application/json");
        assertThat(response.body()).contains(switch (status) {
            case 200 -> "\"allowed\":true";
            case 406 -> "RATE_4061";
            default -> "RATE_4001";
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET", "PUT", "DELETE", "PATCH", "HEAD", "post"})
    void otherMethodsAreNotAllowed(String method) {
        var response = http.send(method, "/v1/check", null);
        assertThat(response.statusCode()).isEqualTo(405);
        assertThat(header(response, "Allow")).isEqualTo("POST, OPTIONS");
        if (!"HEAD".equals(method)) {
            assertThat(error(response).getString("code")).isEqualTo("RATE_4051");
        }
        var options = http.send("OPTIONS", "/v1/check", null);
        assertThat(options.statusCode()).isEqualTo(200);
        assertThat(header(options, "Allow")).isEqualTo("POST, OPTIONS");
    }

    @Test
    void openApiDescribesTheEndpoints() {
        var response = http.get("/q/openapi?format=json");
        assertThat(response.statusCode()).isEqualTo(200);
        var paths = json(response).getJsonObject("paths");
        assertThat(paths.fieldNames()).contains("/v1/check", "/v1/usage", "/v1/limits",
                "/v1/llm/check", "/v1/llm/usage");
        var check = paths.getJsonObject("/v1/check").getJsonObject("post");
        assertThat(check.getJsonObject("responses").fieldNames()).contains("200", "400", "401", "403", "429", "503");
        assertThat(check.encode()).contains("custom_operation");
        assertThat(paths.getJsonObject("/v1/limits").fieldNames()).contains("get", "delete");
        assertThat(json(response).getJsonObject("info").getString("title")).isEqualTo("Sluice");
        var components = json(response).getJsonObject("components");
        assertThat(components.getJsonObject("securitySchemes").fieldNames()).containsExactlyInAnyOrder("admin-token",
                "api-token");
        assertThat(components.getJsonObject("schemas").fieldNames()).containsExactlyInAnyOrder("Check", "Decision", "Error",
                "ErrorBody", "Limits", "Usage", "LlmCheck", "LlmDecision", "LlmUsed", "LlmAccount", "LlmProviderTally",
                "LlmTally");
        var references = Pattern.compile("\"#/components/(\\w+)/([^\"]+)\"").matcher(response.body());
        int found = 0;
        for (; references.find(); found++) {
            assertThat(components.getJsonObject(references.group(1)).fieldNames()).contains(references.group(2));
        }
        assertThat(found).isGreaterThan(20);
    }

    @Test
    void oversizedBodyIsRejectedWithErrorBody() {
        var response = http.post("/v1/check", "x".repeat(2 << 20));
        assertThat(response.statusCode()).isEqualTo(413);
        assertThat(error(response).getString("code")).isEqualTo("RATE_4131");
    }
}
