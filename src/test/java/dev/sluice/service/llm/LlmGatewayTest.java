package dev.sluice.service.llm;

import static dev.sluice.testing.HttpTestClient.error;
import static dev.sluice.testing.HttpTestClient.header;
import static dev.sluice.testing.HttpTestClient.json;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPInputStream;

import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.testing.HttpTestClient;
import dev.sluice.testing.JwtKeys;
import dev.sluice.testing.Polling;
import dev.sluice.testing.RawHttpConnection;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.llm.Estimates;
import dev.sluice.testing.llm.LlmGatewayProfile;
import dev.sluice.testing.llm.LlmProfile;
import dev.sluice.testing.llm.ProviderStub;
import dev.sluice.testing.llm.ProvidersForTests;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;

@QuarkusTest
@TestProfile(LlmGatewayProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(ProvidersForTests.class)
@WithTestResource(JwtKeys.class)
class LlmGatewayTest extends LlmTestBase {

    private static final String MESSAGES = "/anthropic/v1/messages";
    private static final String GENERATE = "/gemini/v1beta/models/gemini-2.5-flash:generateContent";

    JwtKeys jwt;

    @ConfigProperty(name = "quarkus.management.test-port", defaultValue = "9001")
    int managementPort;

    private static String chat(String model, String more) {
        return "{\"model\":\"" + model + "\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]" + more + "}";
    }

    private static String message(int maxTokens) {
        return "{\"model\":\"claude-haiku-4-5\",\"max_tokens\":" + maxTokens
                + ",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";
    }

    private static String contents() {
        return "{\"contents\":[{\"parts\":[{\"text\":\"Hi\"}]}]}";
    }

    private static String path(String provider) {
        return switch (provider) {
            case "openai" -> CHAT;
            case "anthropic" -> MESSAGES;
            default -> GENERATE;
        };
    }

    private static String body(String provider) {
        return switch (provider) {
            case "openai" -> chat("gpt-4o", "");
            case "anthropic" -> message(10);
            default -> contents();
        };
    }

    private ProviderStub stub(String provider) {
        return switch (provider) {
            case "openai" -> openAi;
            case "anthropic" -> anthropic;
            default -> gemini;
        };
    }

    private HttpResponse<String> call(String user, String body, String... headers) {
        var all = new ArrayList<>(List.of("Authorization", "Bearer key-of-" + user, "Content-Type", "application/json"));
        all.addAll(List.of(headers));
        return http.post(CHAT, body, all.toArray(String[]::new));
    }

    /** Asserts that no stub received a Sluice key, in any header or parameter. */
    private void assertNoSluiceKeyForwarded() {
        for (var stub : List.of(openAi, anthropic, gemini)) {
            for (var request : stub.requests()) {
                assertThat((request.uri() + request.headers()).toLowerCase(Locale.ROOT)).doesNotContain("key-of-", "key%2dof");
            }
        }
    }

    private static void assertProviderError(String provider, HttpResponse<String> response, int status) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        assertThat(header(response, "Content-Type")).isEqualTo("application/json");
        assertErrorShape(provider, json(response), status);
    }

    private static void assertErrorShape(String provider, JsonObject body, int status) {
        var error = body.getJsonObject("error");
        assertThat(error.getString("message")).isNotBlank().doesNotContain("key-of-");
        switch (provider) {
            case "openai" -> assertThat(error.fieldNames()).containsExactlyInAnyOrder("message", "type", "param", "code");
            case "anthropic" -> {
                assertThat(body.getString("type")).isEqualTo("error");
                assertThat(body.getString("request_id")).startsWith("req_");
                assertThat(error.getString("type")).endsWith("_error");
            }
            default -> {
                assertThat(error.getInteger("code")).isEqualTo(status);
                assertThat(error.getString("status")).isNotBlank();
            }
        }
    }

    // forwarding

    @Test
    void requestIsForwardedUnchanged() {
        var body = "{ \"model\" : \"gpt-4o\",\n \"messages\":[], \"x\":1.50e0, \"é\":\"\\u00e9\" }";
        var response = http.post(CHAT + "?a=1&b=%20z&a=2&c", body, "Authorization", "Bearer key-of-pro", "Content-Type",
                "application/json; charset=utf-8", "OpenAI-Beta", "x=v1", "X-Stainless-Retry-Count", "0", "User-Agent",
                "OpenAI/Python 1.0", "Accept", "application/json");
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        var seen = openAi.lastRequest();
        assertThat(seen.method()).isEqualTo("POST");
        assertThat(seen.uri()).isEqualTo("/v1/chat/completions?a=1&b=%20z&a=2&c");
        assertThat(seen.body()).isEqualTo(body);
        assertThat(seen.header("content-type")).isEqualTo("application/json; charset=utf-8");
        assertThat(seen.header("openai-beta")).isEqualTo("x=v1");
        assertThat(seen.header("x-stainless-retry-count")).isEqualTo("0");
        assertThat(seen.header("user-agent")).isEqualTo("OpenAI/Python 1.0");
        assertThat(seen.headers().getAll("authorization")).containsExactly("Bearer " + LlmProfile.OPENAI_KEY);
        assertThat(seen.header("host")).isEqualTo("127.0.0.1:" + openAi.port());
    }

    @Test
    void responseIsForwardedUnchanged() {
        var odd = "{ \"model\":\"gpt-4o\", \"usage\" :{\"prompt_tokens\":7, \"completion_tokens\":2}, \"odd\":[1.0 ]}\n";
        openAi.respondNext(1, 203, odd, "x-request-id", "req_1", "x-ratelimit-remaining-tokens", "99", "set-cookie", "a=b",
                "openai-processing-ms", "5", "X-RateLimit-Limit", "upstream");
        var response = call("pro", chat("gpt-4o", ""));
        assertThat(response.statusCode()).isEqualTo(203);
        assertThat(response.body()).isEqualTo(odd);
        assertThat(header(response, "x-request-id")).isEqualTo("req_1");
        assertThat(header(response, "x-ratelimit-remaining-tokens")).isEqualTo("99");
        assertThat(header(response, "openai-processing-ms")).isEqualTo("5");
        assertThat(response.headers().allValues("x-ratelimit-limit")).containsExactly("60");
        assertThat(header(response, "x-ratelimit-remaining")).isEqualTo("59");
        assertThat(header(response, "ratelimit-policy")).isEqualTo("\"llm:openai\";q=60;w=60");
        assertThat(ledger("user:pro", "openai").getLong("input_tokens")).isEqualTo(7);
    }

    @ParameterizedTest
    @ValueSource(ints = {301, 307, 400, 401, 404, 409, 422, 429, 500, 503, 529})
    void providerErrorsAreForwardedAndNotBilled(int status) {
        openAi.respondNext(1, status, "{\"error\":\"as is\"}", "retry-after", "7", "retry-after-ms", "6500", "location", "/x");
        var response = call("tokens", chat("gpt-4o", ",\"max_tokens\":500"));
        assertThat(response.statusCode()).isEqualTo(status);
        assertThat(response.body()).isEqualTo("{\"error\":\"as is\"}");
        assertThat(header(response, "retry-after")).isEqualTo("7");
        assertThat(header(response, "retry-after-ms")).isEqualTo("6500");
        assertThat(header(response, "location")).isEqualTo("/x");
        awaitWindowUsage("tokens", "llm:openai:tokens", 0);
        assertThat(ledger("user:tokens")).isEmpty();
    }

    @Test
    void emptyResponsesAreForwarded() {
        for (var status : new int[]{204, 304}) {
            openAi.respondNext(1, status, "");
            assertThat(call("pro", chat("gpt-4o", "")).statusCode()).isEqualTo(status);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"openai", "anthropic", "gemini"})
    void compressedResponsesAreForwardedAndBilled(String provider) throws Exception {
        stub(provider).gzip();
        stub(provider).usage(TokenUsage.of(123, 45));
        var response = HttpClient.newHttpClient().send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path(provider)))
                        .headers("Accept-Encoding", "gzip, deflate, br", "x-api-key", "key-of-wealthy", "anthropic-version",
                                "2023-06-01")
                        .POST(HttpRequest.BodyPublishers.ofString(body(provider))).build(),
                HttpResponse.BodyHandlers.ofByteArray());
        assertThat(header(response, "content-encoding")).isEqualTo("gzip");
        var text = new String(new GZIPInputStream(new ByteArrayInputStream(response.body())).readAllBytes(),
                StandardCharsets.UTF_8);
        assertThat(text).contains(ProviderStub.DEFAULT_TEXT);
        assertThat(stub(provider).lastRequest().header("accept-encoding")).isEqualTo("gzip");
        var account = ledger("user:wealthy", provider);
        assertThat(account.getLong("input_tokens")).isEqualTo(123);
        assertThat(account.getLong("output_tokens")).isEqualTo(45);
        assertThat(account.getLong("estimated_calls")).isZero();
    }

    @Test
    void encodingForbiddenByTheClientIsNotRequested() {
        openAi.gzip();
        var response = call("pro", chat("gpt-4o", ""), "Accept-Encoding", "gzip;q=0, identity");
        assertThat(header(response, "content-encoding")).isNull();
        assertThat(openAi.lastRequest().header("accept-encoding")).isEqualTo("identity");
    }

    @Test
    void hopByHopHeadersAreNotForwarded() throws IOException {
        var response = RawHttpConnection.exchange(port,
                RawHttpConnection.post(CHAT, chat("gpt-4o", ""), "Authorization: Bearer key-of-pro",
                        "Connection: X-Hop, authorization, content-length", "X-Hop: 1", "Keep-Alive: 5", "TE: trailers",
                        "Proxy-Connection: keep-alive", "Proxy-Authorization: Basic x", "Cookie: session=1", "X-User-Id: root",
                        "X-User-Tier: enterprise", "X_User_Id: root", "X-HTTP-Method-Override: DELETE"));
        assertThat(response.status()).as(response.text()).isEqualTo(200);
        for (var name : List.of("X-Hop", "Keep-Alive", "TE", "Proxy-Connection", "Proxy-Authorization", "Cookie", "X-User-Id",
                "X-User-Tier", "X_User_Id", "X-HTTP-Method-Override", "Transfer-Encoding")) {
            assertThat(openAi.lastRequest().headers().contains(name)).as(name).isFalse();
        }
        assertThat(openAi.lastRequest().header("authorization")).isEqualTo("Bearer " + LlmProfile.OPENAI_KEY);
        assertThat(response.header("x-ratelimit-limit")).isEqualTo("60");
    }

    @Test
    void requestWithoutBodyIsForwardedWithoutBody() throws Exception {
        for (var version : HttpClient.Version.values()) {
            var client = HttpClient.newBuilder().version(version).build();
            for (int i = 0; i < 2; i++) { // the first one upgrades the connection
                var response = client.send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/openai/v1/models"))
                        .header("Authorization", "Bearer key-of-pro").build(), HttpResponse.BodyHandlers.ofString());
                assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
                assertThat(openAi.lastRequest().headers().contains("transfer-encoding")).isFalse();
                assertThat(openAi.lastRequest().headers().names())
                        .noneMatch(name -> name.toLowerCase(Locale.ROOT).contains("http2"));
            }
        }
    }

    @Test
    void http2ClientsAreServed() throws Exception {
        var client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build();
        for (int i = 0; i < 3; i++) {
            for (var provider : List.of("openai", "anthropic", "gemini")) {
                var stream = HttpRequest.BodyPublishers.fromPublisher(HttpRequest.BodyPublishers.ofString(body(provider)));
                var response = client.send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path(provider)))
                                .headers("x-api-key", "key-of-pro", "anthropic-version", "1")
                                .POST(stream).build(),
                        HttpResponse.BodyHandlers.ofString());
                assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
                assertThat(response.version()).isEqualTo(HttpClient.Version.HTTP_2);
                assertThat(stub(provider).lastRequest().body()).isEqualTo(body(provider));
            }
            var counted = client.send(HttpRequest
                    .newBuilder(URI.create("http://127.0.0.1:" + port + MESSAGES + "/count_tokens"))
                    .headers("x-api-key", "key-of-pro", "anthropic-version", "1")
                    .POST(HttpRequest.BodyPublishers
                            .fromPublisher(HttpRequest.BodyPublishers.ofString(body("anthropic"))))
                    .build(), HttpResponse.BodyHandlers.ofString());
            assertThat(counted.statusCode()).as(counted.body()).isEqualTo(200);
            assertThat(anthropic.lastRequest().body()).isEqualTo(body("anthropic"));
            var tooLarge = client.send(
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + CHAT)).header("x-api-key", "key-of-pro")
                            .POST(HttpRequest.BodyPublishers.ofString("x".repeat(LlmGatewayProfile.MAX_BODY_BYTES + 1)))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            assertThat(tooLarge.statusCode()).isEqualTo(413);
        }
    }

    /** A request over HTTP/2 that has ended cannot be resumed to discard its body. */
    @Test
    void http2ClientsReceiveErrorsAfterTheirBodyWasRead() throws Exception {
        var client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build();
        var statuses = new ArrayList<Integer>();
        for (var body : List.of("no JSON", "no JSON", chat("gpt-4o", ""), chat("gpt-4o", ""), chat("gpt-4o", ""),
                chat("gpt-4o", ""))) {
            var response = client.send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + CHAT))
                    .header("x-api-key", "key-of-free").timeout(Duration.ofSeconds(60))
                    .POST(HttpRequest.BodyPublishers.ofString(body)).build(), HttpResponse.BodyHandlers.ofString());
            assertThat(response.version()).isEqualTo(HttpClient.Version.HTTP_2);
            statuses.add(response.statusCode());
        }
        assertThat(statuses).containsExactly(400, 400, 200, 200, 200, 429);
    }

    // keys

    @ParameterizedTest
    @CsvSource({"openai", "anthropic", "gemini"})
    void sluiceKeyIsAcceptedInAnySlotAndNotForwarded(String provider) {
        var headers = List.of("Authorization: Bearer key-of-wealthy", "authorization: bEaReR  key-of-wealthy ",
                "x-api-key: key-of-wealthy", "X-API-KEY: key-of-wealthy", "X-Goog-Api-Key: key-of-wealthy");
        for (var header : headers) {
            var parts = header.split(": ", 2);
            assertThat(http.post(path(provider), body(provider), parts[0], parts[1], "anthropic-version", "1").statusCode())
                    .as(header).isEqualTo(200);
            assertThat(stub(provider).lastRequest().headers().contains(parts[0]))
                    .isEqualTo(keyHeader(provider).equalsIgnoreCase(parts[0]));
        }
        for (var query : List.of("?key=key-of-wealthy", "?a=1&key=key%2Dof%2Dwealthy&b=2", "?%6bey=key-of-wealthy",
                "?key=key-of-wealthy&key=key-of-pro&KEY=key-of-pro&q=key-of-pro")) {
            var response = http.post(path(provider) + query, body(provider), "anthropic-version", "1");
            assertThat(response.statusCode()).as(query + response.body()).isEqualTo(200);
        }
        assertThat(stub(provider).requests()).hasSize(headers.size() + 4);
        assertThat(stub(provider).requests().get(headers.size() + 1).uri()).endsWith("?a=1&b=2");
        assertNoSluiceKeyForwarded();
        assertThat(ledger("user:wealthy", provider).getLong("calls")).isEqualTo(headers.size() + 4L);
    }

    @Test
    void unusualQueriesAreHandled() throws IOException {
        var undecodable = RawHttpConnection.exchange(port,
                RawHttpConnection.post(GENERATE + "?x=%zz&key=key-of-pro", contents()));
        assertThat(undecodable.status()).isEqualTo(400);
        assertThat(undecodable.text()).contains("\"status\":\"INVALID_ARGUMENT\"").contains("percent sign");
        assertThat(gemini.requests()).isEmpty();
        var encoded = RawHttpConnection.exchange(port,
                RawHttpConnection.post(GENERATE + "?caf\u00c3\u00a9&&key&=&a=b=c", contents(), "x-goog-api-key: key-of-pro"));
        assertThat(encoded.status()).as(encoded.text()).isEqualTo(200);
        assertThat(gemini.lastRequest().uri()).endsWith("?caf%C3%A9&&=&a=b=c");
    }

    @Test
    void malformedChunksAreRejected() throws IOException {
        var response = RawHttpConnection.exchange(port, "POST " + GENERATE
                + " HTTP/1.1\r\nHost: x\r\nx-goog-api-key: key-of-pro\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
        assertThat(response.status()).isEqualTo(400);
        assertThat(response.text()).contains("chunked"); // in either format: it depends on how far the request has come
        assertThat(response.header("Connection")).isEqualTo("close");
        assertThat(gemini.requests()).isEmpty();
        assertThat(admin.limits("user:pro").await().indefinitely()).isEmpty();
    }

    private static String keyHeader(String provider) {
        return switch (provider) {
            case "openai" -> "authorization";
            case "anthropic" -> "x-api-key";
            default -> "x-goog-api-key";
        };
    }

    @ParameterizedTest
    @ValueSource(strings = {"openai", "anthropic", "gemini"})
    void keysInSeveralPlacesAreAllRemoved(String provider) throws IOException {
        var response = RawHttpConnection.exchange(port,
                RawHttpConnection.post(path(provider) + "?key=key-of-free&api_key=key-of-pro", body(provider),
                        "Authorization: Bearer key-of-wealthy", "Authorization: Bearer key-of-pro", "X-API-Key: key-of-wealthy",
                        "X-API-Key: key-of-pro", "X_API_Key: key-of-pro", "X-Goog-Api-Key: key-of-pro",
                        "X-Goog-Api-Key: key-of-free",
                        "Api-Key: key-of-pro", "X-Other: Bearer key-of-pro", "anthropic-version: 1"));
        assertThat(response.status()).as(response.text()).isEqualTo(200);
        assertNoSluiceKeyForwarded();
        assertThat(stub(provider).lastRequest().headers().getAll(keyHeader(provider))).hasSize(1);
    }

    /** In any place, each once; every key that is not known counts as a failed attempt. */
    @Test
    void keysOfOneRequestAreTriedAndCounted() throws IOException {
        var response = RawHttpConnection.exchange(port,
                RawHttpConnection.post(CHAT + "?key=a&key=key-of-pro", chat("gpt-4o", ""), "X-API-Key: b",
                        "X-API-Key: key-of-pro", "Authorization: Bearer c", "Authorization: Bearer key-of-pro"));
        assertThat(response.status()).isEqualTo(200);
        assertThat(windowUsage("pro", "llm:openai")).isEqualTo(1);
        assertThat(admin.limits("ip:127.0.0.1").await().indefinitely()).isEqualTo(Map.of("api:default", 3L));
    }

    @ParameterizedTest
    @ValueSource(strings = {"openai", "anthropic", "gemini"})
    void unknownKeysAreRejectedAndCounted(String provider) {
        for (int i = 0; i < 10; i++) {
            var response = http.post(path(provider), body(provider), "x-api-key", "key-of-guess" + i);
            assertProviderError(provider, response, 401);
            assertThat(header(response, "WWW-Authenticate")).startsWith("Bearer");
        }
        var denied = http.post(path(provider), body(provider), "Authorization", "Bearer sk-guess");
        assertProviderError(provider, denied, 429);
        assertThat(Long.parseLong(header(denied, "Retry-After"))).isBetween(1L, 60L);
        assertThat(admin.limits("ip:127.0.0.1").await().indefinitely()).containsOnlyKeys("api:default");
        assertThat(http.post(path(provider), body(provider), "x-api-key", "key-of-pro", "anthropic-version", "1").statusCode())
                .isEqualTo(200);
        assertThat(stub(provider).requests()).hasSize(1);
    }

    @Test
    void requestWithoutCredentialsIsRejected() {
        for (var provider : List.of("openai", "anthropic", "gemini")) {
            assertProviderError(provider, http.post(path(provider), body(provider)), 401);
        }
        assertProviderError("openai", http.get("/openai/v1/models"), 401);
        assertProviderError("openai", http.send("OPTIONS", "/openai/v1/models", null), 401);
        assertProviderError("anthropic", http.post(MESSAGES + "/count_tokens", body("anthropic"), "X-User-Id", "root"), 401);
        assertThat(openAi.requests()).isEmpty();
        assertThat(anthropic.requests()).isEmpty();
    }

    @Test
    void trustedProxyProvidesTheIdentity() throws IOException {
        try (var raw = new RawHttpConnection(port, LlmGatewayProfile.TRUSTED_PROXY_ADDRESS)) {
            raw.send(
                    RawHttpConnection.post(CHAT, chat("gpt-4o", ""), "X-User-Id: carol", "X-User-Tier: pro",
                            "Authorization: Bearer sk-own"));
            var response = raw.readResponse();
            assertThat(response.status()).as(response.text()).isEqualTo(200);
            assertThat(response.header("x-ratelimit-limit")).isEqualTo("60");
        }
        assertThat(ledger("user:carol", "openai").getLong("calls")).isEqualTo(1);
        assertThat(openAi.lastRequest().headers().contains("x-user-id")).isFalse();
    }

    @Test
    void jwtIdentifiesTheCallerAndIsNotForwarded() {
        var token = jwt.token("dave", "pro");
        for (var provider : List.of("openai", "anthropic", "gemini")) {
            var response = http.post(path(provider), body(provider), "Authorization", "Bearer " + token, "anthropic-version",
                    "1");
            assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
            assertThat(stub(provider).lastRequest().headers().toString()).doesNotContain(token);
            assertThat(ledger("user:dave", provider).getLong("calls")).isEqualTo(1);
        }
        var both = http.post(CHAT, body("openai"), "Authorization", "Bearer " + token, "X-API-Key", "key-of-wealthy");
        assertThat(both.statusCode()).isEqualTo(200);
        assertThat(ledger("user:dave", "openai").getLong("calls")).isEqualTo(2);
        for (var bad : List.of(jwt.expiredToken("dave"), jwt.forgedToken("dave"), jwt.foreignIssuerToken("dave"))) {
            assertProviderError("openai", http.post(CHAT, body("openai"), "Authorization", "Bearer " + bad), 401);
            assertProviderError("openai",
                    http.post(CHAT, body("openai"), "Authorization", "Bearer " + bad, "X-API-Key", "key-of-pro"),
                    401);
        }
        assertThat(openAi.requests()).hasSize(2);
    }

    @Test
    void keysOccurNeitherInMetricsNorInRedisKeys() {
        call("pro", chat("gpt-4o", ""));
        http.post(CHAT, body("openai"), "Authorization", "Bearer key-of-somebody-else");
        var metrics = new HttpTestClient(managementPort).get("/q/metrics").body();
        assertThat(metrics).contains("llm_calls_total").doesNotContain("key-of-", LlmProfile.OPENAI_KEY);
        var keys = redis.connectionManager().send(Request.cmd(Command.KEYS).arg("*")).toCompletionStage().toCompletableFuture()
                .join();
        assertThat(keys.toString()).doesNotContain("key-of-", LlmProfile.OPENAI_KEY);
    }

    // paths

    @ParameterizedTest
    @ValueSource(strings = {"/openai/v1/files", "/openai/v1//chat/completions", "/openai/v1/./chat/completions",
            "/openai/v1/x/../chat/completions", "/openai/v1/%2e%2e/files", "/openai/v1/chat%2Fcompletions",
            "/openai/v1/chat/completions;x", "/openai/v1/Chat/completions", "/openai/v1/chat/completions/",
            "/openai/v1/chat/completions%20", "/openai/v1/images/../files", "/openai/v1/images/%2e%2e/files",
            "/openai/v1/imagesx", "/openai/v1/images;/../files", "/openai/v1/images//files",
            "/openai/v1/responses/x", "/openai/v1/models/../files"})
    void sluicesProviderKeyIsUsedForKnownPathsOnly(String path) throws IOException {
        for (var method : List.of("GET", "POST", "DELETE", "PUT")) {
            var response = RawHttpConnection.exchange(port,
                    method + " " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                            + "Authorization: Bearer key-of-pro\r\nContent-Length: 2\r\n\r\n{}");
            assertThat(response.status()).isEqualTo(403);
            assertErrorShape("openai", new JsonObject(response.text()), 403);
        }
        assertThat(openAi.requests()).isEmpty();
        assertThat(windowUsage("pro", "llm:openai")).isZero();
    }

    @ParameterizedTest
    @CsvSource({"/openai/v2/x,404", "/openai/v1,404", "/openai/../openai/v1/files,404", "/gemini/v2/models,404",
            "/anthropic/v1/complete,403", "/gemini/v1beta/models/a%2Fb:generateContent,403",
            "/gemini/v1beta/models/../files:generateContent,403", "/gemini/v1beta/tunedModels/x:generateContent,403",
            "/gemini/v1beta/models/x:predict,403", "/gemini/v1beta/models/x:generateContent:y,403",
            "/gemini/v1beta/cachedContents,403", "/gemini/v1beta/agents,403", "/anthropic/v1/messages/batches,403"})
    void otherPathsAreRejectedWithProviderErrors(String path, int status) throws IOException {
        var response = RawHttpConnection.exchange(port, RawHttpConnection.post(path, "{}", "x-api-key: key-of-pro"));
        assertThat(response.status()).isEqualTo(status);
        assertErrorShape(path.substring(1, path.indexOf('/', 1)), new JsonObject(response.text()), status);
    }

    /** A base URL that a client adds the version to, or does not. */
    @ParameterizedTest
    @CsvSource({"/anthropic/v1/v1/messages,must end with /anthropic", "/gemini/v1/v1beta/models,must end with /gemini",
            "/openai/chat/completions,must begin with /openai/v1", "/anthropic/messages,must begin with /anthropic/v1"})
    void wrongBaseUrlsAreExplained(String path, String hint) throws IOException {
        var response = RawHttpConnection.exchange(port, RawHttpConnection.post(path, "{}", "x-api-key: key-of-pro"));
        assertThat(response.status()).isEqualTo(404);
        assertThat(response.text()).contains(hint);
    }

    @Test
    void wrongMethodIsExplained() {
        var response = http.get(CHAT, "Authorization", "Bearer key-of-pro");
        assertThat(response.statusCode()).isEqualTo(403);
        assertThat(response.body()).contains("This path takes POST");
    }

    @Test
    void absoluteTargetsAreForwardedToTheProvider() throws IOException {
        var response = RawHttpConnection.exchange(port,
                RawHttpConnection.post("http://evil.example" + CHAT + "?a=b", chat("gpt-4o", ""),
                        "Authorization: Bearer key-of-pro"));
        assertThat(response.status()).as(response.text()).isEqualTo(200);
        assertThat(openAi.lastRequest().uri()).isEqualTo("/v1/chat/completions?a=b");
        assertThat(RawHttpConnection
                .exchange(port, RawHttpConnection.post(CHAT + "#x", chat("gpt-4o", ""), "Authorization: Bearer key-of-pro"))
                .status())
                .isEqualTo(400);
        for (var evasion : List.of("//openai/v1/chat/completions", "/%6fpenai/v1/chat/completions", "/OPENAI/v1/models",
                "/x/../openai/v1/models")) {
            assertThat(
                    RawHttpConnection.exchange(port, RawHttpConnection.post(evasion, "{}", "X-API-Key: key-of-pro")).status())
                    .isEqualTo(404);
        }
    }

    /** A provider would take another credential than Sluice's key, bill somebody else, or respond with a script. */
    @ParameterizedTest
    @ValueSource(strings = {"access_token", "oauth_token", "callback", "$callback", "%24access_token", "Access_Token",
            "$userProject",
            "key"})
    void parametersThatReplaceTheKeyAreNotForwarded(String name) throws IOException {
        var response = RawHttpConnection.exchange(port, RawHttpConnection.post(
                path("gemini") + "?a=1&" + name + "=evil&b=2", body("gemini"), "x-goog-api-key: key-of-pro",
                "X-Goog-User-Project: other"));
        assertThat(response.status()).as(response.text()).isEqualTo(200);
        assertThat(gemini.lastRequest().uri()).endsWith("?a=1&b=2");
        assertThat(gemini.lastRequest().headers().contains("x-goog-user-project")).isFalse();
    }

    @Test
    void headOfTheModelsIsForwarded() {
        openAi.respondNext(1, 200, "");
        assertThat(http.send("HEAD", "/openai/v1/models", null, "Authorization", "Bearer key-of-pro").statusCode())
                .isEqualTo(200);
        assertThat(openAi.lastRequest().method()).isEqualTo("HEAD");
    }

    @Test
    void configuredPathsAreForwarded() {
        openAi.respondNext(1, 200, "{\"usage\":{\"input_tokens\":5,\"output_tokens\":6}}");
        var response = http.post("/openai/v1/images/generations", "{\"model\":\"gpt-image\"}", "Authorization",
                "Bearer key-of-pro");
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(header(response, "x-ratelimit-remaining")).isEqualTo("59");
        assertThat(openAi.lastRequest().body()).isEqualTo("{\"model\":\"gpt-image\"}");
        assertThat(openAi.lastRequest().header("content-length")).isEqualTo("21");
        var account = ledger("user:pro", "openai");
        assertThat(account.getLong("input_tokens")).isEqualTo(5);
        assertThat(account.getLong("output_tokens")).isEqualTo(6);
    }

    @Test
    void freeOperationsAreNotCountedAsCalls() {
        for (int i = 0; i < 5; i++) {
            assertThat(http.get("/openai/v1/models", "Authorization", "Bearer key-of-free").statusCode()).isEqualTo(200);
            assertThat(http.post("/openai/v1/responses/input_tokens", chat("gpt-4o", ""), "Authorization", "Bearer key-of-free")
                    .statusCode()).isEqualTo(200);
            var counted = http.post("/gemini/v1beta/models/gemini-2.5-flash:countTokens", contents(), "x-goog-api-key",
                    "key-of-free");
            assertThat(counted.statusCode()).isEqualTo(200);
            assertThat(header(counted, "x-ratelimit-limit")).isEqualTo("60");
        }
        assertThat(admin.limits("user:free").await().indefinitely()).containsOnlyKeys("llm:openai:free", "llm:gemini:free");
        assertThat(ledger("user:free")).isEmpty();
    }

    @Test
    void preflightsAreAnsweredLocally() throws IOException {
        int forwarded = openAi.requests().size();
        var response = RawHttpConnection.exchange(port,
                "OPTIONS " + CHAT + "?key=key-of-pro HTTP/1.1\r\nHost: x\r\nOrigin: https://app.example\r\n"
                        + "Access-Control-Request-Method: POST\r\nAuthorization: Bearer key-of-pro\r\nX-API-Key: key-of-pro\r\n"
                        + "Content-Length: 5\r\n\r\nhello");
        assertThat(response.status()).isEqualTo(204);
        assertThat(response.header("Access-Control-Allow-Origin")).isNull(); // no origins are configured
        assertThat(openAi.requests().size()).isEqualTo(forwarded);
        assertThat(admin.limits("ip:127.0.0.1").await().indefinitely()).isEmpty();
    }

    // denials

    @Test
    void denialsContainRetryAfter() {
        for (int i = 0; i < 3; i++) {
            assertThat(call("free", chat("gpt-4o", "")).statusCode()).isEqualTo(200);
        }
        var denied = call("free", chat("gpt-4o", ""));
        assertProviderError("openai", denied, 429);
        assertThat(error(denied).getString("message"))
                .startsWith(
                        "Rate limit reached for requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in ");
        assertThat(error(denied).getString("type")).isEqualTo("requests");
        assertThat(error(denied).getString("code")).isEqualTo("rate_limit_exceeded");
        long seconds = Long.parseLong(header(denied, "retry-after"));
        long millis = Long.parseLong(header(denied, "retry-after-ms"));
        assertThat(millis).isBetween((seconds - 1) * 1000, seconds * 1000);
        assertThat(header(denied, "x-should-retry")).isNull();
        assertThat(openAi.requests()).hasSize(3);
        assertThat(windowUsage("free", "llm:openai")).isEqualTo(3);
    }

    @Test
    void longWaitsAndBlockedRulesAreNotRetried() {
        openAi.usage(TokenUsage.of(100_000, 0));
        assertThat(call("enterprise", chat("gpt-4o", "")).statusCode()).isEqualTo(200);
        awaitWindowUsage("enterprise", "llm:openai:tokens", 100_000);
        var denied = call("enterprise", chat("gpt-4o", ""));
        assertProviderError("openai", denied, 429);
        assertThat(error(denied).getString("type")).isEqualTo("tokens");
        assertThat(error(denied).getString("message")).contains("tokens per hour (TPH): Limit 100000, Used 100000, Requested ");
        assertThat(header(denied, "x-should-retry")).isEqualTo("false");
        var blocked = http.post(MESSAGES, message(10), "x-api-key", "key-of-enterprise");
        assertProviderError("anthropic", blocked, 429);
        assertThat(header(blocked, "x-should-retry")).isEqualTo("false");
        assertThat(header(blocked, "retry-after")).isNull();
        assertThat(anthropic.requests()).isEmpty();
    }

    @Test
    void geminiDenialsHaveDetails() {
        openAi.usage(TokenUsage.of(1, 1));
        for (int i = 0; i < 15; i++) {
            assertThat(http.post(GENERATE, contents(), "x-goog-api-key", "key-of-free").statusCode()).isEqualTo(200);
        }
        var denied = http.post(GENERATE, contents(), "x-goog-api-key", "key-of-free");
        assertProviderError("gemini", denied, 429);
        assertThat(error(denied).getString("status")).isEqualTo("RESOURCE_EXHAUSTED");
        assertThat(error(denied).getJsonArray("details").stream().map(detail -> ((JsonObject) detail).getString("@type")))
                .containsExactly("type.googleapis.com/google.rpc.QuotaFailure", "type.googleapis.com/google.rpc.RetryInfo");
        assertThat(error(denied).getJsonArray("details").getJsonObject(1).getString("retryDelay")).matches("[0-9]+s");
    }

    /** Waits until the window holds this many units, after settlement. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {",\"max_tokens\":100|100", ",\"max_completion_tokens\":200|200",
            ",\"max_tokens\":50,\"n\":3|150", ",\"max_tokens\":900000|970", ",\"max_tokens\":-1|100",
            ",\"max_tokens\":\"x\"|100",
            ",\"max_tokens\":1e300|100", ",\"n\":1000000000,\"max_tokens\":100000000|970"})
    void maximumOutputIsReservedAndSettled(String more, long output) {
        var gate = openAi.gate();
        openAi.usage(TokenUsage.of(30, 40));
        var body = chat("gpt-4o", more);
        var response = CompletableFuture.supplyAsync(() -> call("tokens", body));
        Polling.await().atMost(60, TimeUnit.SECONDS).until(() -> gate.waiting() == 1);
        long input = Estimates.chat(body);
        assertThat(windowUsage("tokens", "llm:openai:tokens"))
                .isEqualTo(Math.min(1000, input + output + (output == 970 ? 1000 : 0)));
        gate.open();
        assertThat(response.join().statusCode()).isEqualTo(200);
        awaitWindowUsage("tokens", "llm:openai:tokens", 70);
    }

    @Test
    void settlementMayIncreaseUsage() {
        openAi.usage(TokenUsage.of(5000, 5000));
        assertThat(call("tokens", chat("gpt-4o", ",\"max_tokens\":10")).statusCode()).isEqualTo(200);
        awaitWindowUsage("tokens", "llm:openai:tokens", 10_000);
        assertProviderError("openai", call("tokens", chat("gpt-4o", ",\"max_tokens\":10")), 429);
        assertThat(ledger("user:tokens", "openai").getLong("calls")).isEqualTo(1);
        awaitWindowUsage("tokens", "llm:openai:tokens", 10_000);
    }

    @Test
    void embeddingsReserveNoOutput() {
        var gate = openAi.gate();
        var body = "{\"model\":\"text-embedding-3-small\",\"input\":\"Hi\",\"max_tokens\":500}";
        var response = CompletableFuture.supplyAsync(
                () -> http.post("/openai/v1/embeddings", body, "Authorization", "Bearer key-of-tokens").statusCode());
        Polling.await().atMost(60, TimeUnit.SECONDS).until(() -> gate.waiting() == 1);
        assertThat(windowUsage("tokens", "llm:openai:tokens"))
                .isEqualTo(Estimates.input(Provider.OPENAI, "/v1/embeddings", body));
        gate.open();
        assertThat(response.join()).isEqualTo(200);
        awaitWindowUsage("tokens", "llm:openai:tokens", 12);
    }

    @Test
    void modelRulesApplyToDatedVersions() {
        assertThat(call("pro", chat("o3-2025-04-16", "")).statusCode()).isEqualTo(200);
        assertThat(call("pro", chat("o3", "")).statusCode()).isEqualTo(429);
        assertThat(call("pro", chat("gpt-4o", "")).statusCode()).isEqualTo(200);
        assertThat(admin.limits("user:pro").await().indefinitely()).containsOnlyKeys("llm:openai/o3", "llm:openai");
        assertThat(call("tokens", chat("gpt-4o-mini-2024-07-18", ",\"max_tokens\":10")).statusCode()).isEqualTo(200);
        awaitWindowUsage("tokens", "llm:openai:tokens/gpt-4o-mini", 17);
    }

    @Test
    void unpricedModelIsDeniedUnderABudget() {
        for (var body : List.of(chat("nobody-knows-me", ""), "{\"messages\":[]}")) {
            var denied = call("money", body);
            assertProviderError("openai", denied, 429);
            assertThat(header(denied, "x-should-retry")).isEqualTo("false");
            assertThat(error(denied).getString("message")).contains("no price");
        }
        assertThat(openAi.requests()).isEmpty();
        assertThat(call("pro", chat("nobody-knows-me", "")).statusCode()).isEqualTo(200);
        assertThat(ledger("user:pro", "openai").getLong("unpriced_calls")).isEqualTo(1);
    }

    @Test
    void budgetIsSettledToTheNanodollar() {
        openAi.usage(TokenUsage.of(1000, 100));
        assertThat(call("money", chat("gpt-4o", ",\"max_tokens\":10")).statusCode()).isEqualTo(200);
        awaitWindowUsage("money", "llm:openai:budget", 3_500_000); // 1000 x 2.50 and 100 x 10 a million
        openAi.failNext(1, 500);
        assertThat(call("money", chat("gpt-4o", ",\"max_tokens\":10")).statusCode()).isEqualTo(500);
        awaitWindowUsage("money", "llm:openai:budget", 3_500_000);
    }

    @Test
    void concurrentCallsNeverExceedTheLimit() throws Exception {
        var pool = Executors.newFixedThreadPool(64);
        try {
            var body = "{\"model\":\"gpt-4o\",\"max_tokens\":68,\"messages\":[{\"role\":\"user\",\"content\":\""
                    + "x".repeat(60)
                    + "\"}]}";
            long exact = Estimates.chat(body) + 68; // the estimate
            openAi.usage(TokenUsage.of(exact - 68, 68));
            var responses = new ArrayList<CompletableFuture<Integer>>();
            for (int i = 0; i < 64; i++) {
                responses.add(CompletableFuture.supplyAsync(() -> call("tokens", body).statusCode(), pool));
            }
            long admitted = responses.stream().map(CompletableFuture::join).filter(status -> status == 200).count();
            assertThat(admitted).isEqualTo(1000 / exact);
            assertThat(openAi.requests()).hasSize((int) admitted);
            assertThat(ledger("user:tokens", "openai").getLong("output_tokens")).isEqualTo(68 * admitted);
            awaitWindowUsage("tokens", "llm:openai:tokens", exact * admitted);
        } finally {
            pool.shutdownNow();
        }
    }

    // bad input

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "{", "null", "[]", "\"x\"", "hello", "{\"model\":\"gpt-4o\"", "{} {}", "{}x",
            "{\"a\":NaN}",
            "{\"model\":5}", "{\"model\":[\"gpt-4o\"]}", "{\"model\":{}}", "{\"a\":\"\u00ff\"}", "{'model':'gpt-4o'}",
            "{\"a\":1,}",
            "{\"a\":\"\u0001\"}"})
    void malformedBodiesAreRejected(String body) throws IOException {
        var response = RawHttpConnection.exchange(port, RawHttpConnection.post(CHAT, body, "Authorization: Bearer key-of-pro"));
        assertThat(response.status()).as(response.text()).isEqualTo(400);
        assertErrorShape("openai", new JsonObject(response.text()), 400);
        assertThat(openAi.requests()).isEmpty();
        assertThat(windowUsage("pro", "llm:openai")).isZero();
    }

    @Test
    void largeAndDeeplyNestedBodiesAreRejected() {
        assertProviderError("openai", call("pro", "{\"model\":\"" + "m".repeat(10_000) + "\"}"), 400);
        assertProviderError("openai", call("pro", "[".repeat(100_000)), 400);
        assertProviderError("openai", call("pro", "{\"a\":" + "[".repeat(100_000) + "]".repeat(100_000) + "}"), 400);
        assertProviderError("openai", call("pro", "{\"" + "n".repeat(200_000) + "\":1}"), 400);
        assertProviderError("openai", call("pro", "{\"a\":" + "9".repeat(200_000) + "}"), 400);
        assertThat(openAi.requests()).isEmpty();
    }

    @Test
    void unusualBodiesAreForwardedUnchanged() {
        for (var body : List.of("{\"model\":\"gpt-4o\",\"model\":\"gpt-4o\",\"messages\":[]}",
                "{\"model\":\"gpt-4o\",\"messages\":[],\"n\":\"x\"}",
                "\t{\"model\":\"gpt-4o\",\"messages\":[]}\r\n", "{\"model\":\"\\ud83d\\ude00\",\"messages\":[]}",
                "{\"model\":\"a\\u0000b\\n\",\"messages\":[]}")) {
            call("pro", body);
            assertThat(openAi.lastRequest().body()).isEqualTo(body);
        }
        assertThat(ledger("user:pro", "openai").getLong("calls")).isEqualTo(5);
    }

    @Test
    void bodiesAreForwardedUpToTheMaximumSize() throws IOException {
        var text = chat("gpt-4o", ",\"x\":\"" + "y".repeat(10 << 20) + "\"");
        assertThat(call("pro", text).statusCode()).isEqualTo(200);
        assertThat(openAi.lastRequest().body()).isEqualTo(text);
        openAi.reset();
        var large = " ".repeat(LlmGatewayProfile.MAX_BODY_BYTES + 1);
        try (var raw = new RawHttpConnection(port)) {
            raw.send(RawHttpConnection.post(CHAT, large, "Authorization: Bearer key-of-pro"));
            var denied = raw.readResponse();
            assertThat(denied.status()).isEqualTo(413);
            assertErrorShape("openai", new JsonObject(denied.text()), 413);
            raw.send("POST " + CHAT + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer key-of-pro\r\nTransfer-Encoding: chunked"
                    + "\r\n\r\n" + Integer.toHexString(large.length()) + "\r\n" + large + "\r\n0\r\n\r\n");
            assertThat(raw.readResponse().status()).isEqualTo(413);
            raw.send(RawHttpConnection.post(CHAT, chat("gpt-4o", ""), "Authorization: Bearer key-of-pro"));
            assertThat(raw.readResponse().status()).isEqualTo(200);
        }
    }

    @Test
    void expectContinueIsAnsweredForAcceptedRequestsOnly() throws IOException {
        var head = "POST " + CHAT + " HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nAuthorization: Bearer %s\r\n"
                + "Content-Length: %d\r\n\r\n";
        var body = chat("gpt-4o", "");
        try (var raw = new RawHttpConnection(port)) {
            raw.send(head.formatted("key-of-pro", body.length()));
            assertThat(raw.readResponse().status()).isEqualTo(100);
            raw.send(body);
            assertThat(raw.readResponse().status()).isEqualTo(200);
        }
        assertThat(openAi.lastRequest().headers().contains("expect")).isFalse();
        assertThat(
                RawHttpConnection.exchange(port, head.formatted("key-of-pro", LlmGatewayProfile.MAX_BODY_BYTES + 1)).status())
                .isEqualTo(413);
        assertThat(RawHttpConnection.exchange(port, head.formatted("wrong", 10)).status()).isEqualTo(401);
    }

    @Test
    void denialsLeaveTheConnectionUsable() throws IOException {
        try (var raw = new RawHttpConnection(port)) {
            for (var key : List.of("wrong", "key-of-pro")) {
                for (var path : List.of(CHAT, "/openai/v1/files", "/openai/x")) {
                    raw.send(RawHttpConnection.post(path, "z".repeat(300_000), "Authorization: Bearer " + key));
                    assertThat(raw.readResponse().status()).isBetween(400, 499);
                }
            }
            raw.send(RawHttpConnection.post(CHAT, chat("gpt-4o", ""), "Authorization: Bearer key-of-pro"));
            assertThat(raw.readResponse().status()).isEqualTo(200);
        }
    }

    @Test
    void chunkedBodiesAreForwardedWithContentLength() throws IOException {
        var body = chat("gpt-4o", "");
        var response = RawHttpConnection.exchange(port,
                "POST " + CHAT + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer key-of-pro\r\n"
                        + "Transfer-Encoding: chunked\r\n\r\n5\r\n" + body.substring(0, 5) + "\r\n"
                        + Integer.toHexString(body.length() - 5) + "\r\n" + body.substring(5) + "\r\n0\r\n\r\n");
        assertThat(response.status()).isEqualTo(200);
        assertThat(openAi.lastRequest().body()).isEqualTo(body);
    }

    @Test
    void incompleteBodyIsNotBilled() throws IOException {
        for (int i = 0; i < 20; i++) {
            try (var raw = new RawHttpConnection(port)) {
                raw.send("POST " + CHAT
                        + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer key-of-pro\r\nContent-Length: 100\r\n\r\n{");
                raw.reset();
            }
        }
        assertThat(call("pro", chat("gpt-4o", "")).statusCode()).isEqualTo(200);
        assertThat(windowUsage("pro", "llm:openai")).isEqualTo(1);
        assertThat(openAi.requests()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "{\"usage\":null}", "{\"usage\":{\"prompt_tokens\":-5,\"completion_tokens\":3}}",
            "{\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":1000000000000}}",
            "{\"usage\":{\"prompt_tokens\":99999999999999999999999999,\"completion_tokens\":3}}",
            "{\"usage\":{\"prompt_tokens\":\"5\",\"completion_tokens\":\"3\"}}",
            "{\"usage\":{\"prompt_tokens\":1.5,\"completion_tokens\":3}}", "{\"usage\":[1,2]}", "{\"usage\":{}}", "not json",
            ""})
    void implausibleUsageIsEstimated(String response) {
        openAi.respondNext(1, 200, response);
        var body = chat("gpt-4o", ",\"max_tokens\":50");
        assertThat(call("wealthy", body).body()).isEqualTo(response);
        var account = estimated();
        assertThat(account.getLong("calls")).isEqualTo(1);
        assertThat(account.getLong("estimated_calls")).isEqualTo(1);
        assertThat(account.getLong("input_tokens")).isEqualTo(Estimates.chat(body));
        assertThat(account.getLong("output_tokens")).isEqualTo(50);
    }

    @Test
    void nonJsonResponsesAreForwardedUnchanged() {
        openAi.respondNext(1, 200, "<html>Welcome to nginx</html>", "content-type", "text/html");
        var response = call("wealthy", chat("gpt-4o", ""));
        assertThat(response.body()).isEqualTo("<html>Welcome to nginx</html>");
        assertThat(header(response, "content-type")).isEqualTo("text/html");
        assertThat(estimated().getLong("calls")).isEqualTo(1);
    }

    /** Waits for the first estimated call in the ledger, which is recorded after the response has ended. */
    private JsonObject estimated() {
        return Polling.await().atMost(60, TimeUnit.SECONDS).until(() -> ledger("user:wealthy", "openai"),
                account -> account.getLong("estimated_calls", 0L) > 0);
    }

    @Test
    void partsOfTheUsageNeverExceedIt() {
        openAi.respondNext(1, 200,
                new JsonObject().put("usage", new JsonObject().put("prompt_tokens", 10).put("completion_tokens", 1)
                        .put("prompt_tokens_details", new JsonObject().put("cached_tokens", 5000))).put("x", new JsonArray())
                        .encode());
        call("wealthy", chat("gpt-4o", ""));
        var account = ledger("user:wealthy", "openai");
        assertThat(account.getLong("cached_input_tokens")).isEqualTo(10);
        assertThat(account.getString("cost_usd")).isEqualTo("0.0000225"); // 10 x 1.25 and 1 x 10
    }

    @ParameterizedTest
    @ValueSource(strings = {"?fields=candidates", "?%66ields=candidates", "?$fields=candidates", "?alt=proto",
            "?a=b&$alt=media",
            "?$httpMethod=POST", "?$HttpMethod=GET"})
    void queriesThatHideUsageAreRejected(String query) {
        var denied = http.post(GENERATE + query, contents(), "x-goog-api-key", "key-of-pro");
        assertProviderError("gemini", denied, 400);
        assertThat(gemini.requests()).isEmpty();
        assertThat(windowUsage("pro", "llm:gemini")).isZero();
    }

    @Test
    void fieldMaskHeaderIsRejected() {
        assertProviderError("gemini",
                http.post(GENERATE, contents(), "x-goog-api-key", "key-of-pro", "X-Goog-FieldMask", "candidates"),
                400);
        assertThat(http.post(GENERATE + "?alt=json", contents(), "x-goog-api-key", "key-of-pro").statusCode()).isEqualTo(200);
    }
}
