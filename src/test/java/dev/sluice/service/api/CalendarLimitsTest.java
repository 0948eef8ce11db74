package dev.sluice.service.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.anEmptyMap;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.hasEntry;
import static org.hamcrest.Matchers.is;

import java.time.LocalDate;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;

import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.RedisTestResource;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import io.restassured.http.ContentType;
import io.restassured.response.ValidatableResponse;

/** Calendar rates over HTTP, in a time zone whose midnight is that of no other. */
@QuarkusTest
@TestProfile(CalendarLimitsTest.Profile.class)
@WithTestResource(RedisTestResource.class)
class CalendarLimitsTest extends HttpTestBase {

    private static final ZoneId KATHMANDU = ZoneId.of("Asia/Kathmandu");

    public static class Profile implements QuarkusTestProfile {

        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of("rate-limit.time-zone", "Asia/Kathmandu", "rate-limit.admin-token", "admin-secret",
                    "rate-limit.endpoints.\"/monthly\"", "3/month");
        }
    }

    private static ValidatableResponse admin(String method, String path) {
        return given().header("Authorization", "Bearer admin-secret").when().request(method, path).then();
    }

    private static ValidatableResponse check(Map<String, Object> body) {
        return given().header("Authorization", "Bearer admin-secret").contentType(ContentType.JSON).body(body).when()
                .post("/v1/check").then();
    }

    /** Returns the next midnights, one of which is that of a request which is made now. */
    private static List<Long> midnights() {
        var today = LocalDate.now(KATHMANDU);
        return List.of(today.plusDays(1).atStartOfDay(KATHMANDU).toEpochSecond(),
                today.plusDays(2).atStartOfDay(KATHMANDU).toEpochSecond());
    }

    @Test
    void headersAndJsonNameTheEndOfThePeriod() {
        var midnights = midnights();
        var body = Map.<String, Object>of("identifier", "alice", "resource", "daily", "rate", "2/calendar-day", "cost", 2);
        var allowed = check(body).statusCode(200).body("window_seconds", is(86_400)).extract();
        assertThat(midnights).contains(allowed.jsonPath().getLong("reset_at"));
        var denied = check(Map.of("identifier", "alice", "resource", "daily", "rate", "2/calendar-day", "cost", 1));
        long reset = Long.parseLong(denied.extract().header("X-RateLimit-Reset"));
        assertThat(midnights).contains(reset);
        if (reset == allowed.jsonPath().getLong("reset_at")) { // otherwise, a day has begun in between
            denied.statusCode(429).header("RateLimit-Policy", containsString("w=86400"));
            long retry = Long.parseLong(denied.extract().header("Retry-After"));
            assertThat(denied.extract().header("RateLimit")).contains("r=0;t=" + retry);
            assertThat(denied.extract().jsonPath().getLong("error.details.reset_at")).isEqualTo(reset);
            assertThat(retry).isBetween(1L, 86_400L);
        }
    }

    @Test
    void usageIsThatOfTheCurrentPeriod() {
        check(Map.of("identifier", "bob", "resource", "api:/monthly", "tier", "free")).statusCode(200);
        admin("GET", "/v1/usage?identifier=bob&resource=api:/monthly").statusCode(200).body("current", is(1));
        var usage = admin("GET", "/v1/usage?identifier=bob&resource=api:/monthly&period=calendar-month").statusCode(200)
                .body("current", is(1)).extract().jsonPath();
        var first = LocalDate.ofInstant(java.time.Instant.ofEpochSecond(usage.getLong("window_start")), KATHMANDU);
        assertThat(first.getDayOfMonth()).isEqualTo(1);
        assertThat(usage.getLong("window_end")).isEqualTo(first.plusMonths(1).atStartOfDay(KATHMANDU).toEpochSecond());
        admin("GET", "/v1/usage?identifier=bob&resource=api:/monthly&window_seconds=2678400").body("current", is(0));
        admin("GET", "/v1/limits?identifier=bob").body("limits", hasEntry("api:/monthly", 1));
        admin("DELETE", "/v1/limits?identifier=bob").statusCode(204);
        admin("GET", "/v1/limits?identifier=bob").body("limits", anEmptyMap());
    }

    @Test
    void errorsNameTheField() {
        admin("GET", "/v1/usage?identifier=a&resource=b&period=day").statusCode(400)
                .body("error.details.field", is("period")).body("error.message", containsString("calendar-day"));
        admin("GET", "/v1/usage?identifier=a&resource=b&period=calendar-day&window_seconds=1").statusCode(400)
                .body("error.details.field", is("period"));
        check(Map.of("identifier", "a", "resource", "b", "rate", "2/3calendar-day")).statusCode(400)
                .body("error.details.field", is("rate"));
    }
}
