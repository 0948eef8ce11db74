package dev.sluice.service.api;

import static dev.sluice.testing.Polling.await;
import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.aMapWithSize;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.empty;
import static org.hamcrest.Matchers.everyItem;
import static org.hamcrest.Matchers.greaterThan;
import static org.hamcrest.Matchers.hasItems;
import static org.hamcrest.Matchers.hasSize;
import static org.hamcrest.Matchers.is;
import static org.hamcrest.Matchers.matchesPattern;
import static org.hamcrest.Matchers.notNullValue;
import static org.hamcrest.Matchers.nullValue;
import static org.hamcrest.Matchers.startsWith;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.Map;

import org.eclipse.microprofile.config.inject.ConfigProperty;
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

/** Prices in force, with a price list and configured prices. */
@QuarkusTest
@TestProfile(PricesApiTest.Prices.class)
@WithTestResource(RedisTestResource.class)
class PricesApiTest extends HttpTestBase {

    private static final Path CONTENT = Path.of("src/test/resources/dev/sluice/service/api/price-list.json");

    @ConfigProperty(name = "rate-limit.llm.prices")
    String list;

    public static class Prices extends TokensProfile {

        @Override
        public Map<String, String> getConfigOverrides() {
            var overrides = new HashMap<>(super.getConfigOverrides());
            try {
                var file = Files.createTempFile("prices", ".json");
                file.toFile().deleteOnExit();
                Files.copy(CONTENT, file, StandardCopyOption.REPLACE_EXISTING);
                overrides.put("rate-limit.llm.prices", file.toString());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            overrides.put("rate-limit.llm.openai.prices.\"own\".input", "0.10");
            overrides.put("rate-limit.llm.openai.prices.\"own\".output", "7");
            return overrides;
        }
    }

    private static ValidatableResponse get(String query) {
        return given().header("Authorization", "Bearer admin-secret").when().get("/v1/prices" + query).then();
    }

    @Test
    void listsAllPricesWithTheirSources() {
        get("").statusCode(200).body("prices", hasSize(greaterThan(150)))
                .body("prices.source", hasItems("bundled", "settings", list))
                .body("prices.provider", hasItems("openai", "anthropic", "gemini")).body("reason", nullValue())
                .body("bundled_as_of", matchesPattern("20\\d\\d-\\d\\d-\\d\\d"))
                .body("list.source", is(list)).body("list.rows", is(2)).body("list.skipped_rows", is(1))
                .body("list.skipped", contains(startsWith("bad: input is not US dollars per million tokens")))
                .body("list.loaded_at", notNullValue()).body("list.problem", nullValue());
        get("?provider=anthropic").statusCode(200).body("prices.provider", everyItem(is("anthropic")))
                .body("prices", hasSize(greaterThan(10)));
    }

    @Test
    void modelIsResolvedLikeThatOfACall() {
        get("?provider=openai&model=openai/gpt-4o-2026-01-01").statusCode(200).body("prices", hasSize(1))
                .body("prices[0].model", is("gpt-4o")).body("prices[0].source", is(list))
                .body("prices[0].prices", is(Map.of("input", "3", "cached_input", "1.5", "output", "12")));
        get("?model=listed").statusCode(200).body("prices[0].prices.input", is("0.000001"))
                .body("prices[0].prices.output", is("0"));
        get("?provider=openai&model=own").statusCode(200).body("prices[0].source", is("settings"))
                .body("prices[0].prices", is(Map.of("input", "0.1", "cached_input", "0.1", "cache_write", "0.125",
                        "cache_write_1h", "0.125", "output", "7")));
        get("?model=gpt-5.4").statusCode(200).body("prices[0].source", is("bundled"))
                .body("prices[0].tiers.find { it.service_tier == 'standard' }.above_prompt_tokens", is(272000))
                .body("prices[0].fees", is(Map.of("web_search_1000", "10", "file_search_1000", "2.5",
                        "container_gigabyte_1000", "30")))
                .body("prices[0].factors", aMapWithSize(0));
    }

    @Test
    void changedFileIsInForceAndABadOneIsReported() throws IOException {
        var file = Path.of(list);
        Files.writeString(file, Files.readString(CONTENT).replace("0.000001", "9"));
        await().untilAsserted(() -> get("?model=listed").body("prices[0].prices.input", is("9")));
        Files.writeString(file, "{\"prices\": [");
        await().untilAsserted(() -> get("?model=listed").body("list.problem", startsWith("not complete JSON"))
                .body("list.failed_at", notNullValue()).body("list.rows", is(2)).body("prices[0].prices.input", is("9")));
        Files.copy(CONTENT, file, StandardCopyOption.REPLACE_EXISTING);
        await().untilAsserted(() -> get("?model=listed").body("list.problem", nullValue())
                .body("prices[0].prices.input", is("0.000001")));
    }

    @Test
    void modelWithoutAPriceHasAReason() {
        get("?provider=openai&model=gpt-4o-imaginary").statusCode(200).body("prices", empty())
                .body("reason", startsWith("The model has no price"));
        get("?model=bad").statusCode(200).body("prices", empty());
        get("?provider=gemini&model=gpt-4o").statusCode(200).body("prices", empty());
    }

    @Test
    void callsHaveThePricesOfTheList() {
        given().header("Authorization", "Bearer admin-secret").contentType(ContentType.JSON)
                .body(Map.of("provider", "openai", "identifier", "user:list", "model", "gpt-4o-2026-01-01", "input_tokens",
                        1000,
                        "output_tokens", 100, "cached_input_tokens", 10))
                .when().post("/v1/llm/usage").then().statusCode(204);
        given().header("Authorization", "Bearer admin-secret").when().get("/v1/llm/usage?identifier=user:list").then()
                .statusCode(200).body("providers.openai.cost_usd", is("0.004185"));
    }

    @ParameterizedTest
    @CsvSource({"?provider=nobody, provider", "?model=, model", "?provider=, provider",
            "?provider=openai&provider=openai, provider", "?providr=openai, query", "?%ff=1, query"})
    void invalidFiltersAreRejected(String query, String field) {
        get(query).statusCode(400).body("error.details.field", is(field));
    }

    @Test
    void pricesAreForAdministrators() {
        given().when().get("/v1/prices").then().statusCode(403);
    }
}
