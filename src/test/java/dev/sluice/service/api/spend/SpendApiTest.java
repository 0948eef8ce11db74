package dev.sluice.service.api.spend;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.empty;
import static org.hamcrest.Matchers.hasSize;
import static org.hamcrest.Matchers.is;
import static org.hamcrest.Matchers.notNullValue;
import static org.hamcrest.Matchers.nullValue;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.UUID;

import jakarta.inject.Inject;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.identity.chain.IdentityChain;
import dev.sluice.llm.ledger.CallOwner;
import dev.sluice.llm.ledger.Ledger;
import dev.sluice.llm.ledger.LedgerEntry;
import dev.sluice.llm.ledger.UsageTotals;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.llm.spend.MonthlySpend;
import dev.sluice.llm.spend.SpendDimension;
import dev.sluice.testing.HttpTestBase;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.TokensProfile;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.http.ContentType;
import io.restassured.response.ValidatableResponse;
import io.vertx.core.json.JsonObject;

/** Spend over HTTP. Each test has a team of its own, because the ledger is that of all tests. */
@QuarkusTest
@TestProfile(TokensProfile.class)
@WithTestResource(RedisTestResource.class)
class SpendApiTest extends HttpTestBase {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    @Inject
    Ledger ledger;

    @Inject
    MonthlySpend monthlySpend;

    private final String team = "team-" + UUID.randomUUID();

    private static ValidatableResponse get(String query) {
        return given().header("Authorization", "Bearer admin-secret").when().get("/v1/llm/spend" + query).then();
    }

    private void book(String user, String model, long picodollars) {
        var identifier = "user:" + user;
        var owner = CallOwner.of(identifier, new IdentityChain("k-" + user, user, team, "acme", List.of(), List.of()));
        ledger.book(
                new LedgerEntry(identifier, "openai", model, new TokenUsage(100, 20, 10, 0, 50), picodollars, false, null, -1,
                        List.of(), owner))
                .await().atMost(TIMEOUT);
    }

    @Test
    void groupsAreSortedByCostAndTheTotalIsThatOfAll() {
        book("alice", "m1", 1_000_000_000_001L);
        book("alice", "m2", 5);
        book("bob", "m1", 2_000_000_000_000L);
        get("?group_by=user&team=" + team).statusCode(200).contentType(ContentType.JSON)
                .body("rows.user", contains("bob", "alice")).body("rows.calls", contains(1, 2))
                .body("rows.cost_usd", contains("2", "1.000000000006"))
                .body("rows[0].input_tokens", is(100)).body("rows[0].cached_input_tokens", is(20))
                .body("rows[0].cache_write_input_tokens", is(10)).body("rows[0].output_tokens", is(50))
                .body("rows[0].unpriced_calls", is(0)).body("total.cost_usd", is("3.000000000006"))
                .body("total.calls", is(3)).body("next_cursor", nullValue());
        get("?group_by=model,key&user=alice&org=acme&team=" + team).body("rows.model", contains("m1", "m2"))
                .body("rows.key", contains("k-alice", "k-alice"));
        get("?group_by=model&key=k-bob&team=" + team).body("rows.cost_usd", contains("2"));
        get("?team=" + team).body("rows", empty()).body("total.calls", is(3));
        get("?group_by=hour,provider&model=m1&provider=openai&team=" + team).body("rows", hasSize(1))
                .body("rows[0].hour", containsString(":00:00Z")).body("total.calls", is(2));
        get("?group_by=day&team=" + team).body("rows.day", contains(Instant.ofEpochSecond(ledger.currentHour() * 3600)
                .atOffset(ZoneOffset.UTC).toLocalDate().toString()));
        get("?team=none-" + team).body("total.calls", is(0)).body("total.cost_usd", is("0"));
        assertThat(monthlySpend.of(SpendDimension.TEAM, team).await().atMost(TIMEOUT)).extracting(UsageTotals::calls,
                UsageTotals::dollars).containsExactly(3L, "3.000000000006");
        assertThat(monthlySpend.of(SpendDimension.TEAM, "none-" + team).await().atMost(TIMEOUT).calls()).isZero();
    }

    @Test
    void reportedUsageIsThatOfTheUserAndTheSameAsInItsReport() {
        var user = "u-" + team;
        for (int i = 0; i < 3; i++) {
            given().header("Authorization", "Bearer api-secret").contentType(ContentType.JSON)
                    .body(new JsonObject().put("provider", "openai").put("identifier", "user:" + user).put("model", "gpt-4o")
                            .put("input_tokens", 900).put("output_tokens", 250).put("request_id", "r" + i / 2).encode())
                    .when().post("/v1/llm/usage").then().statusCode(204);
        }
        var usage = given().header("Authorization", "Bearer admin-secret").when()
                .get("/v1/llm/usage?identifier=user:" + user + "&hours=24").then().statusCode(200).extract().jsonPath();
        get("?group_by=user,team,key,model&user=" + user).body("rows", hasSize(1)).body("rows[0].user", is(user))
                .body("rows[0].team", nullValue()).body("rows[0].key", nullValue())
                .body("rows[0].calls", is(2)).body("rows[0].calls", is(usage.getInt("providers.openai.calls")))
                .body("rows[0].cost_usd", is(usage.getString("providers.openai.cost_usd")))
                .body("rows[0].input_tokens", is(usage.getInt("providers.openai.input_tokens")))
                .body("rows[0].unpriced_calls", is(usage.getInt("providers.openai.unpriced_calls")));
    }

    @Test
    void pagesFollowEachOtherAndCursorsCannotBeChanged() {
        for (int i = 0; i < 5; i++) {
            book("user-" + i, "m", i < 2 ? 7 : 10 - i);
        }
        var query = "?group_by=user&limit=2&team=" + team;
        var first = get(query).body("rows.user", contains("user-2", "user-0")).body("next_cursor", notNullValue())
                .extract().<String>path("next_cursor");
        var second = get(query + "&cursor=" + first).body("rows.user", contains("user-1", "user-3"))
                .body("total.calls", is(5)).extract().<String>path("next_cursor");
        get(query + "&cursor=" + second).body("rows.user", contains("user-4")).body("next_cursor", nullValue());
        for (var forged : List.of("x", "", "!!!", first.substring(1), first.substring(0, first.length() - 2) + "AA",
                "a".repeat(3000))) {
            get(query + "&cursor=" + forged).statusCode(400).body("error.details.field", is("cursor"));
        }
        get("?group_by=model&team=" + team + "&cursor=" + first).statusCode(400).body("error.details.field", is("cursor"));
    }

    @Test
    void csvHasTheRowsOfThePage() {
        book("=1+1", "a,b", 7);
        book("alice", "m", 5_000_000_000_000L);
        var response = given().header("Authorization", "Bearer admin-secret").header("Accept", "text/csv").when()
                .get("/v1/llm/spend?group_by=user,model,org&team=" + team).then().statusCode(200)
                .header("Content-Type", containsString("text/csv")).header("X-Next-Cursor", nullValue()).extract();
        assertThat(response.asString()).isEqualTo("user,model,org,calls,input_tokens,output_tokens,cached_input_tokens,"
                + "cache_write_input_tokens,cost_usd,unpriced_calls,estimated_calls\r\n"
                + "alice,m,acme,1,100,50,20,10,5,0,0\r\n"
                + "\"'=1+1\",\"a,b\",acme,1,100,50,20,10,0.000000000007,0,0\r\n");
        given().header("Authorization", "Bearer admin-secret").header("Accept", "text/csv").when()
                .get("/v1/llm/spend?limit=1&group_by=user&team=" + team).then().header("X-Next-Cursor", notNullValue());
        given().header("Authorization", "Bearer admin-secret").header("Accept", "application/json, text/csv;q=0.5").when()
                .get("/v1/llm/spend?team=" + team).then().contentType(ContentType.JSON);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"text/csv;q=0|application/json",
            "text/csv;q=0.0, application/json;q=0.5|application/json",
            "text/csv;q=0, */*|application/json", "text/*|text/csv", "application/json;q=0, text/csv|text/csv",
            "text/html, text/csv;q=0.5|text/csv", "application/*, text/csv;q=0.5|application/json"})
    void acceptedTypeIsReturned(String accept, String contentType) {
        given().header("Authorization", "Bearer admin-secret").header("Accept", accept).when()
                .get("/v1/llm/spend?team=" + team).then().statusCode(200).contentType(containsString(contentType));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"group_by=users|group_by|user, team, org",
            "group_by=user,user|group_by|more than once",
            "group_by=|group_by|one or more", "from=yesterday|from|2026-11-01", "from=2020-01-01|from|62 days",
            "to=2020-01-01|to|from must be before to", "from=2999-01-01|from|not in the future", "limit=0|limit|1 to 1000",
            "limit=1001|limit|1 to 1000", "user=|user|1 to 256", "users=a|query|Unknown query parameter",
            "user=a&user=b|user|more than once", "to=2026-02-30|to|RFC 3339"})
    void invalidParametersAreNamed(String query, String field, String message) {
        get("?" + query).statusCode(400).body("error.code", is("RATE_4001")).body("error.details.field", is(field))
                .body("error.message", containsString(message));
    }

    @Test
    void hoursAreKeptForAShorterTime() {
        var day = LocalDate.ofEpochDay(ledger.currentHour() / 24).minusDays(40);
        get("?from=" + day + "&team=" + team).statusCode(200);
        get("?from=" + day + "&group_by=hour").statusCode(400).body("error.message", containsString("31 days"));
        get("?from=" + day + "T01:00:00Z").statusCode(400).body("error.message", containsString("start of a day"));
        get("?from=" + day.minusDays(1) + "&to=" + day + "T01:00:00Z").statusCode(400).body("error.details.field", is("to"));
        get("?from=" + day + "T00:30:00Z").statusCode(400).body("error.message", containsString("start of an hour"));
        var local = URLEncoder.encode(day + "T02:00:00+02:00", StandardCharsets.UTF_8);
        get("?from=" + local + "&to=" + day.plusDays(1) + "&team=" + team).statusCode(200);
    }

    @ParameterizedTest
    @ValueSource(strings = {"api-secret", "wrong"})
    void adminTokenIsRequired(String token) {
        given().header("Authorization", "Bearer " + token).when().get("/v1/llm/spend").then()
                .statusCode(token.equals("wrong") ? 401 : 403);
    }
}
