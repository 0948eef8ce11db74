package dev.sluice.service.authz;

import static dev.sluice.service.authz.CheckRequests.ask;
import static dev.sluice.service.authz.CheckRequests.fields;
import static dev.sluice.service.authz.CheckRequests.http;
import static dev.sluice.service.authz.CheckRequests.rawRequest;
import static dev.sluice.service.authz.CheckRequests.request;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.service.grpc.proto.ExternalAuthProto.CheckRequest;
import dev.sluice.service.grpc.proto.ExternalAuthProto.CheckResponse;
import dev.sluice.testing.ForwardAuthProfile;
import dev.sluice.testing.FreePorts;
import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.JwtKeys;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.grpc.GrpcTestClient;
import io.grpc.Status;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.json.JsonObject;

/** Envoy's ext_authz over gRPC, with windows in Redis. 127.0.0.1 is a trusted proxy. */
@QuarkusTest
@TestProfile(EnvoyAuthorizationServiceTest.Profile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(JwtKeys.class)
class EnvoyAuthorizationServiceTest extends HttpTestBase {

    private static final String CLIENT = "203.0.113.9";
    private static final String PROXY = "127.0.0.1";

    public static class Profile extends ForwardAuthProfile {

        @Override
        public Map<String, String> getConfigOverrides() {
            var settings = new HashMap<>(super.getConfigOverrides());
            settings.put("rate-limit.grpc.port", Integer.toString(FreePorts.next()));
            settings.put("rate-limit.timeout", "30s");
            settings.put("rate-limit.endpoints.\"/keyed\"", "2/minute");
            settings.put("rate-limit.endpoints.\"/keyed\".key", "header:x-tenant");
            settings.put("rate-limit.endpoints.\"/keyed\".hosts", "api.example.com");
            return settings;
        }
    }

    @ConfigProperty(name = "rate-limit.grpc.port")
    int grpcPort;

    JwtKeys keys;

    private GrpcTestClient client;

    @BeforeEach
    void connect() {
        client = new GrpcTestClient(grpcPort);
    }

    @AfterEach
    void disconnect() {
        client.close();
    }

    private Map<String, Long> limits(String identifier) {
        return admin.limits(identifier).await().indefinitely();
    }

    private CheckResponse allowed(CheckRequest request) {
        var response = ask(client, request);
        assertThat(response.getStatus().getCode()).isZero();
        assertThat(response.hasOkResponse()).isTrue();
        return response;
    }

    private CheckResponse denied(CheckRequest request, int http, Status.Code code) {
        var response = ask(client, request);
        assertThat(response.getStatus().getCode()).isEqualTo(code.value());
        assertThat(response.getDeniedResponse().getStatus().getCodeValue()).isEqualTo(http);
        return response;
    }

    private static Map<String, String> rateLimit(CheckResponse response) {
        return fields(response.getOkResponse().getResponseHeadersToAddList());
    }

    private static JsonObject error(CheckResponse response) {
        return new JsonObject(response.getDeniedResponse().getBody()).getJsonObject("error");
    }

    private static CheckRequest keyed(String host, String tenant) {
        return CheckRequests.request(CLIENT, CheckRequests.http("GET", "/keyed").setHost(host).putHeaders("x-tenant", tenant),
                Map.of());
    }

    /** Envoy joins the lines of a repeated field. */
    @Test
    void rulesHaveKeysAndHosts() {
        allowed(keyed("api.example.com:443", "acme"));
        allowed(keyed("API.example.com", "acme,other"));
        denied(keyed("api.example.com", "fresh,acme"), 429, Status.Code.RESOURCE_EXHAUSTED);
        denied(CheckRequests.rawRequest(CLIENT, "/keyed", "x-tenant", "acme", "x-tenant", "new"), 429,
                Status.Code.RESOURCE_EXHAUSTED);
        assertThat(limits("header:x-tenant=acme")).isEqualTo(Map.of("api:/keyed", 2L));
        assertThat(limits("header:x-tenant=acme%2Cother")).isEqualTo(Map.of("api:/keyed", 1L));
        assertThat(rateLimit(allowed(keyed("other.example", "acme")))).containsEntry("ratelimit-policy",
                "\"api:default\";q=10;w=60");
    }

    @Test
    void eleventhRequestIsDenied() {
        var request = request(CLIENT, "GET", "/api/v1/campaigns?a=b", "origin", "https://app.example.com");
        for (int left = 9; left >= 0; left--) {
            var response = allowed(request);
            assertThat(rateLimit(response)).containsEntry("x-ratelimit-limit", "10")
                    .containsEntry("x-ratelimit-remaining", Integer.toString(left))
                    .containsEntry("ratelimit-policy", "\"api:/campaigns\";q=10;w=60")
                    .containsKeys("x-ratelimit-reset", "ratelimit").doesNotContainKeys("retry-after", "cache-control");
            assertThat(response.getOkResponse().getHeadersList()).isEmpty();
        }
        var response = denied(request, 429, Status.Code.RESOURCE_EXHAUSTED);
        var headers = fields(response.getDeniedResponse().getHeadersList());
        assertThat(headers).containsEntry("x-ratelimit-remaining", "0").containsEntry("content-type", "application/json")
                .containsEntry("cache-control", "no-store").containsKeys("x-ratelimit-reset", "ratelimit", "ratelimit-policy")
                .containsEntry("access-control-allow-origin", "https://app.example.com").doesNotContainKey("www-authenticate");
        assertThat(Integer.parseInt(headers.get("retry-after"))).isBetween(1, 60);
        assertThat(error(response).getString("code")).isEqualTo("RATE_5001");
        assertThat(error(response).getJsonObject("details").getLong("limit")).isEqualTo(10);
        assertThat(limits("ip:" + CLIENT)).isEqualTo(Map.of("api:/campaigns", 10L));
    }

    @Test
    void forwardedAddressCountsOnlyFromTrustedProxies() {
        allowed(request(CLIENT, "GET", "/campaigns", "x-forwarded-for", "198.51.100.7, " + CLIENT));
        allowed(request(CLIENT, "GET", "/campaigns", "x-forwarded-for", "198.51.100.7", "forwarded", "for=198.51.100.8"));
        allowed(rawRequest(CLIENT, "/campaigns", "x-forwarded-for", "198.51.100.7"));
        assertThat(limits("ip:" + CLIENT)).isEqualTo(Map.of("api:/campaigns", 3L));

        allowed(request(PROXY, "GET", "/campaigns", "x-forwarded-for", "198.51.100.7,192.0.2.4,127.0.0.1"));
        allowed(rawRequest(PROXY, "/campaigns", "x-forwarded-for", "198.51.100.7", "x-forwarded-for", "192.0.2.4"));
        assertThat(limits("ip:192.0.2.4")).isEqualTo(Map.of("api:/campaigns", 2L));
        assertThat(limits("ip:198.51.100.7")).isEmpty();
    }

    @Test
    void envoyIsThePeerIfTheSourceHasNoAddress() {
        allowed(request(null, "GET", "/campaigns", "x-forwarded-for", "192.0.2.5"));
        allowed(request("listener", "GET", "/campaigns", "x-forwarded-for", "192.0.2.5"));
        allowed(request(null, "GET", "/campaigns"));
        assertThat(limits("ip:192.0.2.5")).isEqualTo(Map.of("api:/campaigns", 2L));
        assertThat(limits("ip:127.0.0.1")).isEqualTo(Map.of("api:/campaigns", 1L));
    }

    @Test
    void networkOfAnIpv6AddressCounts() {
        allowed(request("2001:db8:1:2::3", "GET", "/campaigns"));
        allowed(request("2001:db8:1:2::4", "GET", "/campaigns"));
        assertThat(limits("ip:2001:db8:1:2::")).isEqualTo(Map.of("api:/campaigns", 2L));
    }

    @Test
    void identityHeadersOfClientsAreIgnoredAndRemoved() {
        for (var source : List.of(CLIENT, PROXY)) {
            var response = allowed(request(source, "GET", "/campaigns", "x-user-id", "alice", "x-user-tier", "enterprise",
                    "x_user_id", "alice", "x-other", "kept"));
            assertThat(rateLimit(response)).containsEntry("x-ratelimit-limit", "10");
            assertThat(response.getOkResponse().getHeadersList()).isEmpty();
            assertThat(response.getOkResponse().getHeadersToRemoveList()).contains("x-user-id", "x-user-tier", "x_user_id")
                    .doesNotContain("x-other");
        }
        assertThat(limits("user:alice")).isEmpty();
    }

    @Test
    void credentialsNameTheCaller() {
        for (var request : List.of(request(CLIENT, "GET", "/campaigns", "x-api-key", "key-of-bob", "x-user-id", "alice"),
                rawRequest(CLIENT, "/campaigns", "x-api-key", "key-of-bob", "x_api_key", "key-of-bob"),
                request(CLIENT, "GET", "/campaigns", "authorization", "Bearer " + keys.token("bob", "pro")))) {
            var response = allowed(request);
            assertThat(rateLimit(response)).containsEntry("x-ratelimit-limit", "100");
            assertThat(fields(response.getOkResponse().getHeadersList()))
                    .isEqualTo(Map.of("x-user-id", "bob", "x-user-tier", "pro"));
            assertThat(response.getOkResponse().getHeadersToRemoveList()).contains("x-api-key")
                    .doesNotContain("x-user-id", "x-user-tier", "authorization");
        }
        assertThat(limits("user:bob")).isEqualTo(Map.of("api:/campaigns", 3L));
        var twin = allowed(rawRequest(CLIENT, "/campaigns", "x-api-key", "key-of-bob", "x_api_key", "key-of-bob"));
        assertThat(twin.getOkResponse().getHeadersToRemoveList()).containsExactlyInAnyOrder("x-api-key", "x_api_key",
                "x-team-id",
                "x-org-id");
    }

    /** The API may have keys of its own under this name; a JWT names the caller. */
    @Test
    void keysOfTheApiReachIt() {
        var response = allowed(request(CLIENT, "GET", "/campaigns", "authorization", "Bearer " + keys.token("bob", "pro"),
                "x-api-key", "key of the API"));
        assertThat(response.getOkResponse().getHeadersToRemoveList()).containsExactlyInAnyOrder("x-team-id", "x-org-id");
    }

    @Test
    void invalidCredentialsAre401AndCountAgainstTheClient() {
        for (var credential : List.of(new String[]{"x-api-key", "wrong"},
                new String[]{"authorization", "Bearer " + keys.forgedToken("alice")})) {
            var response = denied(request(CLIENT, "GET", "/campaigns", credential), 401, Status.Code.UNAUTHENTICATED);
            assertThat(fields(response.getDeniedResponse().getHeadersList())).containsEntry("www-authenticate", "Bearer")
                    .containsEntry("content-type", "application/json").containsEntry("cache-control", "no-store");
            assertThat(error(response).getString("code")).isEqualTo("RATE_4011");
        }
        assertThat(limits("ip:" + CLIENT)).isEqualTo(Map.of("api:default", 2L));
    }

    @ParameterizedTest
    @ValueSource(strings = {"//campaigns", "/x/../campaigns", "/%63ampaigns", "/campaigns;a=b", "/api/v1//campaigns/7",
            "/x/%2e%2e/campaigns", "/..//campaigns", "/api%2fv1%2fcampaigns", "http://host/campaigns"})
    void pathIsReadInAllWays(String path) {
        allowed(request(CLIENT, "GET", path));
        assertThat(limits("ip:" + CLIENT)).containsEntry("api:/campaigns", 1L);
    }

    @Test
    void rulesOfMethodsAndTheirOverridesApply() {
        allowed(request(CLIENT, "POST", "/items"));
        denied(request(CLIENT, "DELETE", "/items"), 429, Status.Code.RESOURCE_EXHAUSTED);
        denied(request(CLIENT, "POST", "/items", "x-http-method-override", "DELETE"), 429, Status.Code.RESOURCE_EXHAUSTED);
        denied(request(CLIENT, "POST", "/items?_method=delete"), 429, Status.Code.RESOURCE_EXHAUSTED);
    }

    @Test
    void exemptPathIsAllowedAndNotCounted() {
        var response = allowed(request(CLIENT, "GET", "/healthz", "x-api-key", "key-of-bob"));
        assertThat(rateLimit(response)).isEmpty();
        assertThat(fields(response.getOkResponse().getHeadersList())).containsEntry("x-user-id", "bob");
        assertThat(limits("user:bob")).isEmpty();
    }

    @Test
    void preflightCountsAgainstTheAddress() {
        allowed(request(CLIENT, "OPTIONS", "/campaigns", "origin", "https://app.example.com", "access-control-request-method",
                "POST", "x-api-key", "wrong"));
        assertThat(limits("ip:" + CLIENT)).isEqualTo(Map.of("api:OPTIONS /campaigns", 1L));
    }

    @Test
    void ruleCanBeNamedInsteadOfThePath() {
        var response = allowed(request(CLIENT, http("GET", "/users"), Map.of("resource", "api:/campaigns")));
        assertThat(rateLimit(response)).containsEntry("ratelimit-policy", "\"api:/campaigns\";q=10;w=60");
        assertThat(limits("ip:" + CLIENT)).isEqualTo(Map.of("api:/campaigns", 1L));

        var status = client.failure(CheckRequests.CHECK,
                request(CLIENT, http("GET", "/users"), Map.of("resource", "api:/none")));
        assertThat(status.getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
        assertThat(status.getDescription()).contains("resource", "api:/none");
        assertThat(limits("ip:" + CLIENT)).isEqualTo(Map.of("api:/campaigns", 1L));
    }

    @Test
    void messageWithoutRequestIsInvalid() {
        var empty = client.failure(CheckRequests.CHECK, CheckRequest.getDefaultInstance());
        assertThat(empty.getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
        assertThat(empty.getDescription()).contains("attributes.request.http ");
        var withoutPath = client.failure(CheckRequests.CHECK, request(CLIENT, "GET", ""));
        assertThat(withoutPath.getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
        assertThat(withoutPath.getDescription()).contains("attributes.request.http.path");
    }

    /** A malformed target of a client must not become an error of gRPC, which Envoy may let pass. */
    @ParameterizedTest
    @CsvSource({"GET,/campaigns/%zz,path", "GET,/campaigns#a,path", "GET,campaigns,path", "G(T,/campaigns,method"})
    void malformedTargetIsDenied(String method, String path, String field) {
        var response = denied(request(CLIENT, method, path), 400, Status.Code.INVALID_ARGUMENT);
        assertThat(error(response).getString("code")).isEqualTo("RATE_4001");
        assertThat(error(response).getJsonObject("details").getString("field")).isEqualTo(field);
    }

    @Test
    void longTargetIsDenied() {
        denied(request(CLIENT, "GET", "/" + "a".repeat(16_384)), 400, Status.Code.INVALID_ARGUMENT);
    }
}
