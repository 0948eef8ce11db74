package dev.sluice.service.auth;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.contains;

import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;

import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.identity.RejectedCredential;
import dev.sluice.testing.EchoUpstream;
import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.RawHttpConnection;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;

/** Keys and tokens with characters that are not ASCII, tokens signed with a secret (HS256), and the metric of rejections. */
@QuarkusTest
@TestProfile(CredentialsTest.Profile.class)
@WithTestResource(EchoUpstream.class)
class CredentialsTest extends HttpTestBase {

    public static class Profile implements QuarkusTestProfile {

        @Override
        public Map<String, String> getConfigOverrides() {
            var settings = new HashMap<String, String>();
            settings.put("rate-limit.redis.enabled", "false");
            settings.put("rate-limit.default", "1000/minute");
            settings.put("rate-limit.admin-token", "Geheimnis-f\u00FCr-Verwalter");
            settings.put("rate-limit.api-token", "\u79D8\u5BC6");
            // printf %s 'schlüssel' | sha256sum
            settings.put("rate-limit.api-keys.umlaut.sha256", UMLAUT_SHA256);
            settings.put("rate-limit.api-keys.umlaut.user", "J\u00FCrgen");
            // printf %s '鍵à' | sha256sum
            settings.put("rate-limit.api-keys.kanji.sha256", KANJI_SHA256);
            settings.put("rate-limit.api-keys.kanji.user", "kanji");
            settings.put("rate-limit.llm.openai.api-key", "sk-of-sluice");
            // the bytes of 09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7
            settings.put("smallrye.jwt.verify.secretkey", "{\"kty\":\"oct\",\"k\":\"MDlkMjVlMDk0ZmFhNmNhMjU1NmM4MTgxNjZiN2E5"
                    + "NTYzYjkzZjcwOTlmNmYwZjRjYWE2Y2Y2M2I4OGU4ZDNlNw\"}");
            settings.put("smallrye.jwt.verify.algorithm", "HS256");
            return settings;
        }
    }

    private static final String UMLAUT_SHA256 = "ccec7a8e3e039f0b6b308a81f438e1d07a59c8c896b4f237d10c3eecb8375ef7";
    private static final String KANJI_SHA256 = "49821ffc7027c5b7c02a1a5c47ed0676b5fe70d90b742de3fec591402f77e7b5";
    private static final String KANJI = "\u9375\u00E0";

    // jwt.encode({"sub": "Zoë", "tier": "pro", "exp": 4102444800}, SECRET, algorithm=...) of PyJWT 2.15
    private static final String CLAIMS = ".eyJzdWIiOiJab1x1MDBlYiIsInRpZXIiOiJwcm8iLCJleHAiOjQxMDI0NDQ4MDB9.";
    private static final String HS256 = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9" + CLAIMS;
    private static final String TOKEN = HS256 + "V2gzl72QKgbpjqwB-bxkTL5yVXr-F8jieuiabTitzcs";
    private static final String FORGED = HS256 + "Y2Z2GonMAJYgvIZ7--Ax05awcFpx08pXPh8nDAQVl8k";
    private static final String HS512 = "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJab1x1MDBlYiIsImV4cCI6NDEwMjQ0NDgwMH0"
            + ".ICcqMWes_yrF3U3ryOppPbGs_PmLmZcA3IMcuE6JaHs26dSShZ4e9p8PcaV2_pIvWwxSn8bndBeQlH5mkafPYw";

    private static final String CHECK = "{\"identifier\":\"user:a\",\"resource\":\"r\",\"rate\":\"1000/minute\"}";

    @ConfigProperty(name = "quarkus.management.test-port", defaultValue = "9001")
    int managementPort;

    private double rejected(String kind, String reason) {
        return given().port(managementPort).get("/q/metrics").asString().lines()
                .filter(line -> line.startsWith("rate_limit_credentials_rejected_total{kind=\"" + kind + "\",reason=\"" + reason
                        + "\"}"))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ')))).sum();
    }

    private void assertRejected(String kind, String reason, int status, String method, String path, String... header) {
        double before = rejected(kind, reason);
        var response = http.send(method, path, "POST".equals(method) ? CHECK : null, header);
        assertThat(response.statusCode()).isEqualTo(status);
        assertThat(rejected(kind, reason)).as(kind + ' ' + reason).isEqualTo(before + 1);
    }

    /** Returns one character for each byte, as the connection sends them. */
    private static String encode(String text, Charset charset) {
        return new String(text.getBytes(charset), StandardCharsets.ISO_8859_1);
    }

    /** Sends a header in an encoding, which no client of the tests does otherwise. */
    private RawHttpConnection.Response send(String request, String header, Charset charset) throws IOException {
        try (var connection = new RawHttpConnection(port)) {
            connection.send(
                    encode(request + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + header + "\r\n\r\n", charset));
            return connection.readResponse();
        }
    }

    @Test
    void tokenOfPyJwtIsAccepted() {
        given().header("Authorization", "Bearer " + TOKEN).get("/echo").then().statusCode(200)
                .body("headers.'x-user-id'", contains("Zo%C3%AB")).body("headers.'x-user-tier'", contains("pro"));
        assertThat(admin.limits("user:Zo\u00EB").await().indefinitely()).isNotEmpty();
    }

    @Test
    void otherTokensAreRejected() {
        assertRejected("jwt", "signature", 401, "GET", "/echo", "Authorization", "Bearer " + FORGED);
        assertRejected("jwt", "algorithm", 401, "GET", "/echo", "Authorization", "Bearer " + HS512);
        assertRejected("jwt", "algorithm", 401, "GET", "/echo", "Authorization", "Bearer eyJhbGciOiJub25lIn0.e30.");
        assertRejected("jwt", "malformed", 401, "GET", "/echo", "Authorization", "Bearer  " + TOKEN);
    }

    /** The library that reads claims overflows the stack, at a depth that depends on the machine. */
    @Test
    void deeplyNestedClaimsAreNoInternalError() throws GeneralSecurityException {
        var encoder = Base64.getUrlEncoder().withoutPadding();
        var claims = "{\"sub\":\"d\",\"exp\":4102444800,\"x\":" + "[".repeat(4000) + "]".repeat(4000) + "}";
        var signed = encoder.encodeToString("{\"alg\":\"HS256\",\"typ\":\"JWT\"}".getBytes(StandardCharsets.US_ASCII)) + '.'
                + encoder.encodeToString(claims.getBytes(StandardCharsets.US_ASCII));
        var mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec("09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7"
                .getBytes(StandardCharsets.US_ASCII), "HmacSHA256"));
        var token = signed + '.' + encoder.encodeToString(mac.doFinal(signed.getBytes(StandardCharsets.US_ASCII)));
        assertThat(http.get("/echo", "Authorization", "Bearer " + token).statusCode()).isIn(200, 401);
    }

    @ParameterizedTest
    @ValueSource(strings = {"UTF-8", "ISO-8859-1"})
    void apiKeyMayHaveCharactersThatAreNotAscii(String charset) throws IOException {
        var response = send("GET /echo", "X-API-Key: schl\u00FCssel", Charset.forName(charset));
        assertThat(response.status()).isEqualTo(200);
        assertThat(response.text()).contains("J%C3%BCrgen").doesNotContain("schl");
        assertThat(admin.limits("user:J\u00FCrgen").await().indefinitely()).isNotEmpty();
    }

    @Test
    void apiKeyMayHaveAnyCharacters() throws IOException {
        assertThat(send("GET /echo", "X-API-Key: " + KANJI, StandardCharsets.UTF_8).text()).contains("kanji");
        assertThat(send("GET /echo", "X-API-Key: schl\u00FCsse1", StandardCharsets.UTF_8).status()).isEqualTo(401);
    }

    /** The path is not allowed with Sluice's key, so the provider is not called: 403 instead of 401. */
    @ParameterizedTest
    @CsvSource({"Authorization: Bearer", "x-goog-api-key:", "X-API-Key:"})
    void llmGatewayAcceptsApiKeysWithAnyCharacters(String header) throws IOException {
        assertThat(send("GET /openai/v1/none", header + ' ' + KANJI, StandardCharsets.UTF_8).status()).isEqualTo(403);
        assertThat(send("GET /openai/v1/none", header + " \u9375\u00E1", StandardCharsets.UTF_8).status()).isEqualTo(401);
    }

    @ParameterizedTest
    @ValueSource(strings = {"UTF-8", "ISO-8859-1"})
    void adminTokenMayHaveCharactersThatAreNotAscii(String charset) throws IOException {
        var token = "Authorization: Bearer Geheimnis-f\u00FCr-Verwalter";
        assertThat(send("GET /v1/limits?identifier=a", token, Charset.forName(charset)).status()).isEqualTo(200);
        assertThat(send("GET /v1/limits?identifier=a", token + "\u00FC", Charset.forName(charset)).status()).isEqualTo(401);
    }

    @Test
    void apiTokenMayHaveAnyCharacters() throws IOException {
        var body = "Content-Type: application/json\r\nContent-Length: " + CHECK.length() + "\r\nAuthorization: Bearer ";
        try (var connection = new RawHttpConnection(port)) {
            connection.send(encode("POST /v1/check HTTP/1.1\r\nHost: x\r\n" + body + "\u79D8\u5BC6\r\n\r\n" + CHECK,
                    StandardCharsets.UTF_8));
            assertThat(connection.readResponse().status()).isEqualTo(200);
        }
    }

    @Test
    void rejectionsAreCountedByKindAndReason() {
        assertRejected("api_key", "unknown", 401, "GET", "/echo", "X-API-Key", "guess");
        assertRejected("api_key", "unknown", 401, "POST", "/v1/check", "X-API-Key", "guess", "Content-Type",
                "application/json");
        assertRejected("api_key", "unknown", 401, "GET", "/openai/v1/models", "Authorization", "Bearer guess");
        assertRejected("api_key", "malformed", 401, "GET", "/openai/v1/models", "Authorization", "Bearer a b");
        assertRejected("api_key", "missing", 401, "GET", "/openai/v1/models");
        assertRejected("admin_token", "unknown", 401, "GET", "/v1/limits?identifier=a", "Authorization", "Bearer guess");
        assertRejected("admin_token", "missing", 403, "GET", "/v1/limits?identifier=a");
        assertRejected("api_token", "unknown", 401, "POST", "/v1/check", "Authorization", "Bearer guess", "Content-Type",
                "application/json");
        assertRejected("api_token", "missing", 401, "POST", "/v1/check", "Content-Type", "application/json");
    }

    @Test
    void keyWithoutSchemeIsExplained() {
        var response = http.get("/openai/v1/models", "Authorization", "some-key");
        assertThat(response.statusCode()).isEqualTo(401);
        assertThat(response.body()).contains("the form is Authorization: Bearer");
    }

    @Test
    void apiTokenIsNoAdminToken() throws IOException {
        double before = rejected("admin_token", "not_permitted");
        assertThat(send("GET /v1/limits?identifier=a", "Authorization: Bearer \u79D8\u5BC6", StandardCharsets.UTF_8).status())
                .isEqualTo(403);
        assertThat(rejected("admin_token", "not_permitted")).isEqualTo(before + 1);
    }

    @Test
    void metricIsDescribedAndComplete() {
        var metrics = given().port(managementPort).get("/q/metrics").asString();
        assertThat(metrics).containsPattern("# HELP rate_limit_credentials_rejected(_total)? \\S+");
        for (var credential : RejectedCredential.values()) {
            assertThat(metrics).contains("rate_limit_credentials_rejected_total{kind=\"" + credential.kind() + "\",reason=\""
                    + credential.reason() + "\"}");
        }
    }
}
