package dev.sluice.service.rls;

import static dev.sluice.service.rls.Requests.descriptor;
import static dev.sluice.service.rls.Requests.request;
import static io.restassured.RestAssured.given;
import static java.util.stream.Collectors.toMap;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.YearMonth;
import java.time.ZoneOffset;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import com.google.protobuf.UInt64Value;

import dev.sluice.service.grpc.proto.CoreProto.HeaderValue;
import dev.sluice.service.grpc.proto.DescriptorProto.RateLimitDescriptor.RateLimitOverride;
import dev.sluice.service.grpc.proto.RateLimitUnitProto.RateLimitUnit;
import dev.sluice.service.grpc.proto.RlsProto.RateLimitRequest;
import dev.sluice.service.grpc.proto.RlsProto.RateLimitResponse;
import dev.sluice.service.grpc.proto.RlsProto.RateLimitResponse.Code;
import dev.sluice.service.grpc.proto.RlsProto.RateLimitResponse.DescriptorStatus;
import dev.sluice.service.grpc.proto.RlsProto.RateLimitResponse.RateLimit.Unit;
import dev.sluice.testing.FreePorts;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.grpc.GrpcTestClient;
import io.grpc.Status;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.json.JsonObject;

/** Envoy's rate limit service over gRPC, with windows in Redis. */
@QuarkusTest
@TestProfile(EnvoyRateLimitServiceTest.Profile.class)
@QuarkusTestResource(value = RedisTestResource.class, restrictToAnnotatedClass = true)
class EnvoyRateLimitServiceTest {

    private static final String RULES = """
            domains:
              own:
                descriptors:
                  - key: user
                    rate: 2/30s;100/hour
                  - key: tokens
                    charge: true
                    rate: 100/minute
                  - key: plan
                    allow_override: true
                    rate: 5/minute
                  - key: fixed
                    rate: 5/minute
                  - key: shadowed
                    shadow_mode: true
                    rate: 1/minute
                  - key: monthly
                    rate: 2/calendar-month
                  - key: daily
                    rate: 7/day;6/calendar-day
                  - key: blocked
                    rate: blocked
                  - key: free
                    rate: unlimited
            """;
    private static final String ENVOY = """
            domain: edge
            descriptors:
              - key: path
                rate_limit: {name: paths, unit: minute, requests_per_unit: 3}
              - key: remote_address
                rate_limit:
                  unit: day
                  requests_per_unit: 100
            """;
    private static final String CHECK = "kuadrant.service.ratelimit.v1.RateLimitService/CheckRateLimit";
    private static final String REPORT = "kuadrant.service.ratelimit.v1.RateLimitService/Report";

    public static class Profile implements QuarkusTestProfile {

        @Override
        public Map<String, String> getConfigOverrides() {
            try {
                var folder = Files.createTempDirectory("sluice-rls");
                var rules = Files.writeString(folder.resolve("rules.yaml"), RULES);
                var envoy = Files.createDirectory(folder.resolve("envoy"));
                Files.writeString(envoy.resolve("edge.yaml"), ENVOY);
                return Map.of("rate-limit.grpc.port", Integer.toString(FreePorts.next()), "rate-limit.file", rules.toString(),
                        "rate-limit.envoy.config", envoy.toString(), "rate-limit.admin-token", "admin",
                        "rate-limit.timeout", "30s");
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @ConfigProperty(name = "rate-limit.grpc.port")
    int port;

    @ConfigProperty(name = "rate-limit.file")
    String rulesFile;

    @ConfigProperty(name = "rate-limit.envoy.config")
    String envoyFolder;

    private GrpcTestClient client;

    @BeforeEach
    void connect() {
        client = new GrpcTestClient(port);
    }

    @AfterEach
    void disconnect() {
        client.close();
    }

    private RateLimitResponse ask(RateLimitRequest.Builder request) {
        return client.shouldRateLimit(request.build());
    }

    private static Map<String, String> headers(RateLimitResponse response) {
        return new TreeMap<>(response.getResponseHeadersToAddList().stream()
                .collect(toMap(header -> header.getKey().toLowerCase(java.util.Locale.ROOT), HeaderValue::getValue)));
    }

    private static Map<String, Integer> limits(String identifier) {
        return new HashMap<>(given().auth().oauth2("admin").queryParam("identifier", identifier).get("/v1/limits").then()
                .statusCode(200).extract().jsonPath().getMap("limits"));
    }

    @Test
    void limitsAreExactAndRefusalsSayWhenToRetry() {
        for (int left = 2; left >= 0; left--) {
            var response = ask(request("edge", descriptor("path", "/exact")));
            assertThat(response.getOverallCode()).isEqualTo(Code.OK);
            assertThat(response.getStatusesList()).extracting(DescriptorStatus::getLimitRemaining).containsExactly(left);
            assertThat(headers(response)).containsEntry("x-ratelimit-limit", "3")
                    .containsEntry("x-ratelimit-remaining", Integer.toString(left))
                    .containsEntry("ratelimit-policy", "\"paths\";q=3;w=60").doesNotContainKeys("retry-after", "content-type");
            assertThat(response.getRawBody().isEmpty()).isTrue();
        }
        var denied = ask(request("edge", descriptor("path", "/exact")));
        assertThat(denied.getOverallCode()).isEqualTo(Code.OVER_LIMIT);
        var status = denied.getStatuses(0);
        assertThat(status.getCode()).isEqualTo(Code.OVER_LIMIT);
        assertThat(status.getCurrentLimit().getName()).isEqualTo("paths");
        assertThat(status.getCurrentLimit().getRequestsPerUnit()).isEqualTo(3);
        assertThat(status.getCurrentLimit().getUnit()).isEqualTo(Unit.MINUTE);
        assertThat(status.getDurationUntilReset().getSeconds()).isBetween(0L, 60L);
        assertThat(headers(denied)).containsEntry("x-ratelimit-remaining", "0")
                .containsEntry("content-type", "application/json")
                .containsKeys("retry-after", "x-ratelimit-reset", "ratelimit");
        var error = new JsonObject(denied.getRawBody().toStringUtf8()).getJsonObject("error");
        assertThat(error.getString("code")).isEqualTo("RATE_5001");
        assertThat(error.getJsonObject("details").getInteger("limit")).isEqualTo(3);
        assertThat(limits("rls:edge:path=/exact")).containsExactlyEntriesOf(Map.of("paths", 3));
    }

    @Test
    void calendarPeriodsEndAtMidnight() {
        var before = YearMonth.now(ZoneOffset.UTC);
        for (var code : List.of(Code.OK, Code.OK, Code.OVER_LIMIT)) {
            var response = ask(request("own", descriptor("monthly", "acme"), descriptor("daily", "acme")));
            if (before.equals(YearMonth.now(ZoneOffset.UTC))) { // otherwise, a month has begun in between
                assertThat(response.getOverallCode()).isEqualTo(code);
            }
            var monthly = response.getStatuses(0);
            assertThat(monthly.getCurrentLimit().getUnit()).isEqualTo(Unit.MONTH);
            assertThat(response.getStatuses(1).getCurrentLimit().getUnit()).isEqualTo(Unit.DAY);
            assertThat(monthly.getDurationUntilReset().getSeconds()).isLessThan(31 * 86_400);
        }
    }

    @Test
    void refusalsConsumeNothingOfOtherDescriptors() {
        var both = request("edge", descriptor("path", "/both"), descriptor("remote_address", "192.0.2.7"));
        for (int i = 0; i < 3; i++) {
            assertThat(ask(both).getOverallCode()).isEqualTo(Code.OK);
        }
        var denied = ask(both);
        assertThat(denied.getOverallCode()).isEqualTo(Code.OVER_LIMIT);
        assertThat(denied.getStatusesList()).extracting(DescriptorStatus::getCode).containsExactly(Code.OVER_LIMIT, Code.OK);
        assertThat(denied.getStatuses(1).getLimitRemaining()).isEqualTo(97);
        assertThat(denied.getStatuses(1).getCurrentLimit().getUnit()).isEqualTo(Unit.DAY);
        assertThat(limits("rls:edge:remote_address=192.0.2.7")).containsEntry("remote_address", 3);
    }

    @Test
    void whatMatchesNoRuleIsNotLimited() {
        for (var unknown : new RateLimitRequest.Builder[]{request("none", descriptor("path", "/")),
                request("edge", descriptor("other", "/")), request("edge", descriptor("path", "/", "more", "entries"))}) {
            var response = ask(unknown);
            assertThat(response.getOverallCode()).isEqualTo(Code.OK);
            assertThat(response.getStatusesList()).singleElement()
                    .isEqualTo(DescriptorStatus.newBuilder().setCode(Code.OK).build());
            assertThat(response.getResponseHeadersToAddCount()).isZero();
        }
    }

    @Test
    void costsAreThoseOfTheRequestOrOfTheDescriptor() {
        assertThat(ask(request("own", descriptor("fixed", "cost")).setHitsAddend(3)).getStatuses(0).getLimitRemaining())
                .isEqualTo(2);
        var zero = descriptor("fixed", "cost").toBuilder().setHitsAddend(UInt64Value.of(0)).build();
        assertThat(ask(request("own", zero).setHitsAddend(3)).getStatuses(0).getLimitRemaining()).isEqualTo(2);
        var two = descriptor("fixed", "cost").toBuilder().setHitsAddend(UInt64Value.of(2)).build();
        assertThat(ask(request("own", two)).getStatuses(0).getLimitRemaining()).isZero();
        assertThat(ask(request("own", zero)).getOverallCode()).isEqualTo(Code.OVER_LIMIT);
        var huge = ask(request("own", descriptor("fixed", "huge")).setHitsAddend(-1)); // 2^32 - 1
        assertThat(huge.getOverallCode()).isEqualTo(Code.OVER_LIMIT);
        assertThat(huge.getStatuses(0).getLimitRemaining()).isEqualTo(5);
        assertThat(limits("rls:own:fixed=huge")).isEmpty();
    }

    @Test
    void theSameDescriptorTwiceCostsBoth() {
        var response = ask(request("own", descriptor("fixed", "twice"), descriptor("fixed", "twice")).setHitsAddend(2));
        assertThat(response.getStatusesList()).extracting(DescriptorStatus::getLimitRemaining).containsExactly(1, 1);
        assertThat(ask(request("own", descriptor("fixed", "twice"), descriptor("fixed", "twice"))).getOverallCode())
                .isEqualTo(Code.OVER_LIMIT);
    }

    @Test
    void severalWindowsHoldTogether() {
        assertThat(ask(request("own", descriptor("user", "alice"))).getStatuses(0).getCurrentLimit().getUnit())
                .as("30 s have no unit").isEqualTo(Unit.UNKNOWN);
        assertThat(headers(ask(request("own", descriptor("user", "alice")))).get("ratelimit-policy"))
                .isEqualTo("\"user/30\";q=2;w=30, \"user/3600\";q=100;w=3600");
        assertThat(ask(request("own", descriptor("user", "alice"))).getOverallCode()).isEqualTo(Code.OVER_LIMIT);
        assertThat(limits("rls:own:user=alice")).containsEntry("user", 2);
    }

    @Test
    void chargesAreNotLost() {
        var used = descriptor("tokens", "alice");
        assertThat(ask(request("own", used).setHitsAddend(60)).getStatuses(0).getLimitRemaining()).isEqualTo(40);
        var beyond = ask(request("own", used).setHitsAddend(60));
        assertThat(beyond.getOverallCode()).isEqualTo(Code.OK);
        assertThat(beyond.getStatuses(0).getLimitRemaining()).isZero();
        var before = used.toBuilder().setHitsAddend(UInt64Value.of(0)).build();
        assertThat(ask(request("own", before)).getOverallCode()).isEqualTo(Code.OVER_LIMIT);
        assertThat(ask(request("own", used)).getOverallCode()).isEqualTo(Code.OVER_LIMIT);
        assertThat(limits("rls:own:tokens=alice")).containsEntry("tokens", 121);
    }

    @Test
    void overridesHoldWhereTheRuleAllowsThem() {
        var override = RateLimitOverride.newBuilder().setRequestsPerUnit(1).setUnit(RateLimitUnit.HOUR).build();
        var allowed = descriptor("plan", "gold").toBuilder().setLimit(override).build();
        assertThat(ask(request("own", allowed)).getStatuses(0).getCurrentLimit().getUnit()).isEqualTo(Unit.HOUR);
        assertThat(ask(request("own", allowed)).getOverallCode()).isEqualTo(Code.OVER_LIMIT);
        var other = descriptor("fixed", "gold").toBuilder().setLimit(override).build();
        assertThat(ask(request("own", other)).getStatuses(0).getLimitRemaining()).isEqualTo(4);
        var nothing = descriptor("plan", "none").toBuilder().setLimit(override.toBuilder().setRequestsPerUnit(0)).build();
        assertThat(ask(request("own", nothing)).getOverallCode()).isEqualTo(Code.OVER_LIMIT);
        var unknown = descriptor("plan", "x").toBuilder().setLimit(override.toBuilder().setUnitValue(99)).build();
        assertThat(failure(request("own", unknown)).getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    }

    @Test
    void shadowsBlocksAndUnlimitedRules() {
        for (int i = 0; i < 3; i++) {
            assertThat(ask(request("own", descriptor("shadowed", "x"))).getOverallCode()).isEqualTo(Code.OK);
        }
        assertThat(limits("rls:own:shadowed=x")).containsEntry("shadowed", 1);
        var blocked = ask(request("own", descriptor("blocked", "x"), descriptor("fixed", "beside")));
        assertThat(blocked.getOverallCode()).isEqualTo(Code.OVER_LIMIT);
        assertThat(blocked.getStatusesList()).extracting(DescriptorStatus::getCode).containsExactly(Code.OVER_LIMIT, Code.OK);
        assertThat(limits("rls:own:fixed=beside")).isEmpty();
        var free = ask(request("own", descriptor("free", "x")));
        assertThat(free.getOverallCode()).isEqualTo(Code.OK);
        assertThat(Integer.toUnsignedLong(free.getStatuses(0).getLimitRemaining())).isEqualTo(0xFFFF_FFFFL);
    }

    @Test
    void kuadrantChecksAndReports() {
        var user = request("own", descriptor("fixed", "kuadrant"));
        for (int i = 0; i < 2; i++) {
            assertThat(client.call(CHECK, user.build(), RateLimitResponse.parser()).getStatuses(0).getLimitRemaining())
                    .isEqualTo(5);
        }
        assertThat(client.call(REPORT, user.setHitsAddend(9).build(), RateLimitResponse.parser()).getOverallCode())
                .isEqualTo(Code.OK);
        assertThat(client.call(CHECK, user.setHitsAddend(1).build(), RateLimitResponse.parser()).getOverallCode())
                .isEqualTo(Code.OVER_LIMIT);
        assertThat(limits("rls:own:fixed=kuadrant")).containsEntry("fixed", 9);
    }

    @Test
    void badInputIsInvalid() {
        for (var invalid : new RateLimitRequest.Builder[]{request("", descriptor("path", "/")), request("edge"),
                request("edge", descriptor()), request("edge", descriptor("", "x")),
                RateLimitRequest.newBuilder().setDomain("edge")
                        .addAllDescriptors(Collections.nCopies(10_000, descriptor("path", "/")))}) {
            var status = failure(invalid);
            assertThat(status.getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
            assertThat(status.getDescription()).isNotBlank();
        }
    }

    private Status failure(RateLimitRequest.Builder request) {
        return client.failure(GrpcTestClient.SHOULD_RATE_LIMIT, request.build());
    }

    @Test
    void longValuesHaveWindowsOfTheirOwn() {
        var value = "v".repeat(1 << 20);
        assertThat(ask(request("own", descriptor("fixed", value + "a"))).getStatuses(0).getLimitRemaining()).isEqualTo(4);
        assertThat(ask(request("own", descriptor("fixed", value + "b"))).getStatuses(0).getLimitRemaining()).isEqualTo(4);
        assertThat(ask(request("own", descriptor("fixed", value + "a"))).getStatuses(0).getLimitRemaining()).isEqualTo(3);
    }

    @Test
    void separatorsInValuesAreEncoded() {
        ask(request("own", descriptor("fixed", "a|b=c%d")));
        assertThat(limits("rls:own:fixed=a%7Cb%3Dc%25d")).containsEntry("fixed", 1);
    }

    @Test
    void windowsCanBeReset() {
        var spent = request("own", descriptor("fixed", "reset")).setHitsAddend(5);
        assertThat(ask(spent).getOverallCode()).isEqualTo(Code.OK);
        assertThat(ask(spent).getOverallCode()).isEqualTo(Code.OVER_LIMIT);
        given().auth().oauth2("admin").queryParam("identifier", "rls:own:fixed=reset").delete("/v1/limits").then()
                .statusCode(204);
        assertThat(ask(spent).getOverallCode()).isEqualTo(Code.OK);
    }

    @Test
    void metricsHaveTheRuleAndNoValues() {
        ask(request("edge", descriptor("path", "/secret-path")));
        var metrics = given().port(managementPort).get("/q/metrics").then().statusCode(200).extract().asString();
        assertThat(metrics).containsPattern("rate_limit_decisions_total\\{[^}]*resource=\"paths\"")
                .doesNotContain("secret-path");
    }

    @ConfigProperty(name = "quarkus.management.test-port", defaultValue = "9001")
    int managementPort;

    @Test
    void changedConfigurationIsInForceAndABadOneIsNot() throws IOException {
        var file = Path.of(envoyFolder).resolve("late.yaml");
        Files.writeString(file, "domain: late\ndescriptors:\n- key: a\n  rate_limit: {unit: hour, requests_per_unit: 7}\n");
        await().atMost(Duration.ofSeconds(60)).until(() -> ask(request("late", descriptor("a", "1"))).getStatuses(0)
                .getCurrentLimit().getRequestsPerUnit() == 7);
        Files.writeString(file, "domain: edge\n");
        await().atMost(Duration.ofSeconds(60)).until(() -> readiness("envoy-config").equals("rejected"));
        assertThat(readiness("envoy-config-problem")).contains("late.yaml:1: domain=edge: a second domain of this name");
        var valid = Path.of(envoyFolder).resolve("valid.yaml");
        Files.writeString(valid, "domain: valid\ndescriptors:\n- key: a\n  rate_limit: {unit: hour, requests_per_unit: 3}\n");
        assertThat(ask(request("late", descriptor("a", "1"))).getStatuses(0).getCurrentLimit().getRequestsPerUnit())
                .isEqualTo(7);
        Files.delete(file);
        var link = Files.createSymbolicLink(Path.of(envoyFolder).resolve("link.yaml"), Path.of("nowhere.yaml"));
        await().atMost(Duration.ofSeconds(60)).until(() -> readiness("envoy-config-problem").contains("link.yaml"));
        Files.delete(link);
        await().atMost(Duration.ofSeconds(60)).until(() -> ask(request("valid", descriptor("a", "1"))).getStatuses(0)
                .getCurrentLimit().getRequestsPerUnit() == 3);
        Files.delete(valid);
    }

    @Test
    void domainsOfTheRulesFileAreReloaded() throws IOException {
        var file = Path.of(rulesFile);
        Files.writeString(file, RULES + "  reloaded:\n    - {key: a, rate: 9/minute}\n");
        await().atMost(Duration.ofSeconds(60)).until(() -> ask(request("reloaded", descriptor("a", "1"))).getStatuses(0)
                .getCurrentLimit().getRequestsPerUnit() == 9);
        Files.writeString(file, RULES + "  edge:\n    - {key: a, rate: 9/minute}\n");
        await().atMost(Duration.ofSeconds(60)).until(() -> readiness("rows").equals("rejected"));
        assertThat(readiness("rows-problem")).contains("rules.yaml").contains("edge").contains("a second domain of this name");
        assertThat(ask(request("reloaded", descriptor("a", "1"))).getStatuses(0).getCurrentLimit().getRequestsPerUnit())
                .isEqualTo(9);
        Files.writeString(file, RULES);
        await().atMost(Duration.ofSeconds(60)).until(() -> readiness("rows").equals("valid"));
    }

    private String readiness(String member) {
        return given().port(managementPort).get("/q/health/ready").jsonPath()
                .getString("checks.find { it.name == 'rate-limit-store' }.data.'" + member + "'");
    }
}
