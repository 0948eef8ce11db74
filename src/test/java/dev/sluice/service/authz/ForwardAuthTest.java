package dev.sluice.service.authz;

import static dev.sluice.testing.HttpTestClient.error;
import static dev.sluice.testing.HttpTestClient.header;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.testing.ForwardAuthProfile;
import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.JwtKeys;
import dev.sluice.testing.RawHttpConnection;
import dev.sluice.testing.RedisTestResource;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/** {@code /v1/forward-auth} and {@code /v1/ext-authz} as proxies ask them. */
@QuarkusTest
@TestProfile(ForwardAuthProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(JwtKeys.class)
class ForwardAuthTest extends HttpTestBase {

    /** Names that applications may read as those of the identity. */
    private static final String TWINS = ",x_user_id,x-user_id,x_user-id,x_user_tier,x-user_tier,x_user-tier";

    JwtKeys keys;

    private HttpResponse<String> ask(String uri, String... headers) {
        return askWith("", uri, headers);
    }

    private HttpResponse<String> askWith(String query, String uri, String... headers) {
        var all = new String[headers.length + 2];
        all[0] = "X-Forwarded-Uri";
        all[1] = uri;
        System.arraycopy(headers, 0, all, 2, headers.length);
        return http.get("/v1/forward-auth" + query, all);
    }

    private Map<String, Long> limits(String identifier) {
        return admin.limits(identifier).await().indefinitely();
    }

    @ParameterizedTest
    @CsvSource({"GET,/v1/forward-auth", "POST,/v1/forward-auth", "GET,/v1/ext-authz/api/v1/campaigns?a=b",
            "PROPFIND,/v1/ext-authz/campaigns"})
    void eleventhRequestIsDenied(String method, String target) {
        var headers = new String[]{"X-Forwarded-Uri", "/api/v1/campaigns?a=b", "X-Forwarded-For", "198.51.100.7"};
        for (int left = 9; left >= 0; left--) {
            var allowed = http.send(method, target, null, headers);
            assertThat(allowed.statusCode()).isEqualTo(200);
            assertThat(allowed.body()).isEmpty();
            assertThat(header(allowed, "X-RateLimit-Limit")).isEqualTo("10");
            assertThat(header(allowed, "X-RateLimit-Remaining")).isEqualTo(Integer.toString(left));
            assertThat(header(allowed, "RateLimit")).startsWith("\"api:/campaigns\";r=" + left + ";t=");
            assertThat(header(allowed, "Cache-Control")).isEqualTo("no-store");
            assertThat(header(allowed, "X-User-Id")).isNull();
        }
        var denied = http.send(method, target, null, headers);
        assertThat(denied.statusCode()).isEqualTo(429);
        assertThat(header(denied, "X-RateLimit-Remaining")).isEqualTo("0");
        assertThat(Integer.parseInt(header(denied, "Retry-After"))).isBetween(1, 60);
        assertThat(header(denied, "Cache-Control")).isEqualTo("no-store");
        assertThat(error(denied).getString("code")).isEqualTo("RATE_5001");
        assertThat(error(denied).getJsonObject("details").getLong("limit")).isEqualTo(10);
        assertThat(limits("ip:198.51.100.7")).isEqualTo(Map.of("api:/campaigns", 10L));
        assertThat(limits("ip:127.0.0.1")).isEmpty();
    }

    /** The fields that Traefik's ForwardAuth sends besides those of the client. */
    @Test
    void readsWhatTraefikSends() {
        var answer = http.get("/v1/forward-auth?from=forwarded", "X-Forwarded-For", "203.0.113.9", "X-Forwarded-Host",
                "api.example.com", "X-Forwarded-Method", "POST", "X-Forwarded-Port", "443", "X-Forwarded-Proto", "https",
                "X-Forwarded-Server", "traefik-0", "X-Forwarded-Uri", "/api/v1/users?page=2", "X-Real-Ip", "203.0.113.9",
                "X-Original-URI", "/campaigns");
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(limits("ip:203.0.113.9")).isEqualTo(Map.of("api:/users", 1L));
    }

    @Test
    void refusalHasTheStatusThatTheOperatorHasChosen() {
        for (int i = 0; i < 5; i++) {
            assertThat(askWith("?deny=403", "/auth/login").statusCode()).isEqualTo(200);
        }
        var denied = askWith("?deny=403", "/auth/login");
        assertThat(denied.statusCode()).isEqualTo(403);
        assertThat(header(denied, "X-RateLimit-Limit")).isEqualTo("5");
        assertThat(header(denied, "Retry-After")).isNotNull();
        assertThat(error(denied).getString("code")).isEqualTo("RATE_5001");
        assertThat(askWith("?deny=429", "/auth/login").statusCode()).isEqualTo(429);
        assertThat(askWith("?deny=403", "/auth/login", "X-API-Key", "wrong").statusCode()).isEqualTo(401);
    }

    @Test
    void rowCanBeNamedInsteadOfTheUri() {
        for (var query : List.of("?resource=api:/campaigns", "?resource=api%3A%2Fcampaigns&deny=403")) {
            assertThat(http.get("/v1/forward-auth" + query).statusCode()).isEqualTo(200);
            assertThat(askWith(query, "/users").statusCode()).isEqualTo(200);
        }
        assertThat(limits("ip:127.0.0.1")).isEqualTo(Map.of("api:/campaigns", 4L));
    }

    @ParameterizedTest
    @CsvSource({"?deny=500,deny", "?deny=403&deny=403,deny", "?resource=api:/none,resource", "?resource=,resource",
            "?from=envoy,from", "?denied=403,query"})
    void invalidParameterIsNamed(String query, String field) {
        var invalid = askWith(query, "/campaigns");
        assertThat(invalid.statusCode()).isEqualTo(400);
        assertThat(error(invalid).getString("code")).isEqualTo("RATE_4001");
        assertThat(error(invalid).getJsonObject("details").getString("field")).isEqualTo(field);
        assertThat(limits("ip:127.0.0.1")).isEmpty();
    }

    @Test
    void missingUriIsNamed() {
        var invalid = http.get("/v1/forward-auth", "X-Original-Method", "POST");
        assertThat(invalid.statusCode()).isEqualTo(400);
        assertThat(error(invalid).getString("message")).contains("X-Original-URI");
        assertThat(http.send("HEAD", "/v1/forward-auth", null).statusCode()).isEqualTo(400);
        assertThat(http.send("HEAD", "/v1/forward-auth", null, "X-Original-URI", "/campaigns").statusCode()).isEqualTo(200);
    }

    @Test
    void chosenSetOfHeadersCannotBeForged() {
        var headers = new String[]{"X-Original-URI", "/campaigns", "X-Forwarded-Method", "HEAD"};
        assertThat(askWith("?from=original", "/users", headers).statusCode()).isEqualTo(200);
        assertThat(limits("ip:127.0.0.1")).isEqualTo(Map.of("api:/campaigns", 1L));
    }

    @Test
    void onlyTrustedProxiesMayAsk() throws IOException {
        try (var other = new RawHttpConnection(port, "127.0.0.2")) {
            other.send("GET /v1/forward-auth HTTP/1.1\r\nHost: sluice\r\nX-Forwarded-Uri: /campaigns\r\n\r\n");
            var rejected = other.readResponse();
            assertThat(rejected.status()).isEqualTo(403);
            assertThat(rejected.text()).contains("RATE_4031", "rate-limit.trusted-proxies");
            // Asks for itself only: it is not trusted to name the client.
            other.send("GET /v1/ext-authz/campaigns HTTP/1.1\r\nHost: sluice\r\nX-Forwarded-For: 198.51.100.9\r\n\r\n");
            assertThat(other.readResponse().status()).isEqualTo(200);
        }
        assertThat(limits("ip:127.0.0.2")).isEqualTo(Map.of("api:/campaigns", 1L));
        assertThat(limits("ip:198.51.100.9")).isEmpty();
    }

    @Test
    void identityHeadersOfClientsAreIgnored() {
        var headers = new String[]{"X-Forwarded-Uri", "/campaigns", "X-User-Id", "alice", "X-User-Tier", "enterprise"};
        for (var target : List.of("/v1/forward-auth", "/v1/ext-authz/campaigns")) {
            var answer = http.get(target, headers);
            assertThat(header(answer, "X-RateLimit-Limit")).isEqualTo("10");
            assertThat(header(answer, "X-User-Id")).isNull();
        }
        assertThat(limits("user:alice")).isEmpty();
        assertThat(limits("ip:127.0.0.1")).isEqualTo(Map.of("api:/campaigns", 2L));
    }

    @Test
    void credentialsNameTheCaller() {
        for (var credential : List.of(new String[]{"X-API-Key", "key-of-bob"},
                new String[]{"Authorization", "Bearer " + keys.token("bob", "pro")})) {
            for (var target : List.of("/v1/forward-auth", "/v1/ext-authz/campaigns")) {
                var answer = http.get(target, credential[0], credential[1], "X-Forwarded-Uri", "/campaigns");
                assertThat(answer.statusCode()).isEqualTo(200);
                assertThat(header(answer, "X-RateLimit-Limit")).isEqualTo("100");
                assertThat(header(answer, "X-User-Id")).isEqualTo("bob");
                assertThat(header(answer, "X-User-Tier")).isEqualTo("pro");
            }
        }
        assertThat(limits("user:bob")).isEqualTo(Map.of("api:/campaigns", 4L));
    }

    @Test
    void envoyIsToldWhichFieldsItMustRemove() {
        var anonymous = http.get("/v1/ext-authz/campaigns", "X-User-Id", "alice");
        assertThat(header(anonymous, "X-Envoy-Auth-Headers-To-Remove"))
                .isEqualTo("x-user-id,x-user-tier,x-team-id,x-org-id,x-api-key" + TWINS);
        var bob = http.get("/v1/ext-authz/campaigns", "X-API-Key", "key-of-bob");
        assertThat(header(bob, "X-Envoy-Auth-Headers-To-Remove")).isEqualTo("x-team-id,x-org-id,x-api-key" + TWINS);
        var other = http.get("/v1/forward-auth", "X-Original-URI", "/campaigns");
        assertThat(header(other, "X-Envoy-Auth-Headers-To-Remove")).isNull();
    }

    @Test
    void invalidCredentialsAre401AndCountAgainstTheClient() {
        for (var credential : List.of(new String[]{"X-API-Key", "wrong"},
                new String[]{"Authorization", "Bearer " + keys.forgedToken("alice")})) {
            for (var target : List.of("/v1/forward-auth", "/v1/ext-authz/campaigns")) {
                var answer = http.get(target, credential[0], credential[1], "X-Forwarded-Uri", "/campaigns",
                        "X-Forwarded-For", "198.51.100.8");
                assertThat(answer.statusCode()).isEqualTo(401);
                assertThat(header(answer, "WWW-Authenticate")).isEqualTo("Bearer");
                assertThat(error(answer).getString("code")).isEqualTo("RATE_4011");
            }
        }
        assertThat(limits("ip:198.51.100.8")).isEqualTo(Map.of("api:default", 4L));
    }

    @ParameterizedTest
    @ValueSource(strings = {"//campaigns", "/x/../campaigns", "/%63ampaigns", "/campaigns;a=b", "/api/v1//campaigns/7",
            "/x/%2e%2e/campaigns", "/..//campaigns", "/api%2fv1%2fcampaigns"})
    void pathIsReadInAllWays(String path) throws IOException {
        assertThat(ask(path).statusCode()).isEqualTo(200);
        assertThat(limits("ip:127.0.0.1")).containsEntry("api:/campaigns", 1L);
        // The client of the test would normalize the path.
        var answer = RawHttpConnection.exchange(port, "GET /v1/ext-authz" + path + " HTTP/1.1\r\nHost: sluice\r\n\r\n");
        assertThat(answer.status()).isEqualTo(200);
        assertThat(limits("ip:127.0.0.1")).containsEntry("api:/campaigns", 2L);
    }

    @Test
    void rulesOfOverriddenMethodsApply() {
        assertThat(ask("/items", "X-Forwarded-Method", "POST").statusCode()).isEqualTo(200);
        assertThat(ask("/items", "X-Forwarded-Method", "DELETE").statusCode()).isEqualTo(429);
        assertThat(ask("/items", "X-Forwarded-Method", "POST", "X-HTTP-Method-Override", "DELETE").statusCode()).isEqualTo(429);
        assertThat(ask("/items?_method=delete", "X-Forwarded-Method", "POST").statusCode()).isEqualTo(429);
        assertThat(http.send("DELETE", "/v1/ext-authz/items", null).statusCode()).isEqualTo(429);
    }

    /** Browsers send preflights without credentials. */
    @Test
    void preflightCountsAgainstTheAddress() {
        var headers = new String[]{"X-Forwarded-Uri", "/campaigns", "X-Forwarded-Method", "OPTIONS", "Origin",
                "https://app.example.com", "Access-Control-Request-Method", "POST", "X-API-Key", "wrong"};
        assertThat(http.get("/v1/forward-auth", headers).statusCode()).isEqualTo(200);
        assertThat(http.send("OPTIONS", "/v1/forward-auth", null, headers).statusCode()).isEqualTo(200);
        var last = http.send("OPTIONS", "/v1/ext-authz/campaigns", null, headers);
        assertThat(last.statusCode()).isEqualTo(200);
        assertThat(header(last, "X-RateLimit-Remaining")).isEqualTo("0");
        assertThat(limits("ip:127.0.0.1")).isEqualTo(Map.of("api:OPTIONS /campaigns", 3L));
        assertThat(http.send("OPTIONS", "/v1/ext-authz/campaigns", null, headers).statusCode()).isEqualTo(429);
    }

    @Test
    void exemptPathIsAllowedAndNotCounted() {
        var answer = ask("/healthz", "X-API-Key", "key-of-bob");
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(header(answer, "X-RateLimit-Limit")).isNull();
        assertThat(header(answer, "X-User-Id")).isEqualTo("bob");
        assertThat(limits("user:bob")).isEmpty();
    }

    @Test
    void longAndMalformedTargetsAreRejected() throws IOException {
        for (var target : List.of("/a#b", "/a%zz", "/" + "a".repeat(20_000))) {
            var rejected = RawHttpConnection.exchange(port,
                    "GET /v1/forward-auth HTTP/1.1\r\nHost: sluice\r\nX-Original-URI: " + target + "\r\n\r\n");
            assertThat(rejected.status()).isEqualTo(400);
            assertThat(rejected.text()).contains("RATE_4001", "X-Original-URI").doesNotContain("aaaa");
        }
        var tooLarge = RawHttpConnection.exchange(port, "GET /v1/forward-auth HTTP/1.1\r\nHost: sluice\r\nX-Original-URI: /"
                + "a".repeat(65_536) + "\r\n\r\n");
        assertThat(tooLarge.status()).isEqualTo(431);
    }

    @Test
    void bodyIsIgnored() throws IOException {
        try (var connection = new RawHttpConnection(port)) {
            for (int i = 0; i < 2; i++) {
                connection.send(RawHttpConnection.post("/v1/ext-authz/campaigns", "b".repeat(100_000)));
                assertThat(connection.readResponse().status()).isEqualTo(200);
            }
        }
        assertThat(limits("ip:127.0.0.1")).isEqualTo(Map.of("api:/campaigns", 2L));
    }
}
