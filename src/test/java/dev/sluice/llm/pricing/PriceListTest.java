package dev.sluice.llm.pricing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.util.Map;
import java.util.Optional;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.config.ConfigProblems;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.TokenUsage;

class PriceListTest {

    private static final LocalDate DAY = LocalDate.of(2026, 11, 29);
    private static final String GOOD = "{\"provider\":\"openai\",\"model\":\"good\",\"input\":\"1\",\"output\":\"2\"}";
    private static final String GOOD_LITELLM = "\"good\":{\"litellm_provider\":\"openai\",\"mode\":\"chat\","
            + "\"input_cost_per_token\":1e-06,\"output_cost_per_token\":2e-06}";

    private static PriceList parse(String json) throws InvalidPriceListException {
        return PriceListReader.parse("list", json.getBytes(StandardCharsets.UTF_8));
    }

    private static PriceTable table(PriceList list) {
        return PriceTable.of(Map.of(), new ConfigProblems()).withList(list);
    }

    private static String cost(PriceTable table, String model, long input, long output) {
        return Money.dollars(
                table.find(Provider.OPENAI, model, DAY).orElseThrow().picodollars(TokenUsage.of(input, output)));
    }

    private static byte[] resource(String name) throws IOException {
        try (var stream = PriceListTest.class.getResourceAsStream(name)) {
            return stream.readAllBytes();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"prices\":[" + GOOD + "]}", "{" + GOOD_LITELLM + "}"})
    void formatsAreToldApartByTheirContent(String json) throws Exception {
        var list = parse(json);
        assertThat(list.rows()).isEqualTo(1);
        assertThat(list.skippedRows()).isZero();
        var table = table(list);
        assertThat(cost(table, "good", 1_000_000, 1_000_000)).isEqualTo("3");
        assertThat(table.describe(Provider.OPENAI, "good", DAY).source()).isEqualTo("list");
    }

    @Test
    void bundledPricesAreAValidList() throws Exception {
        var list = PriceListReader.parse("list", resource("prices.json"));
        assertThat(list.skipped()).isEmpty();
        assertThat(list.rows()).isEqualTo(BundledPrices.read().size());
    }

    @Test
    void publishedListIsUsableAsItIs() throws Exception {
        var content = resource("litellm.json");
        var list = PriceListReader.parse("list", content);
        assertThat(list.skipped()).isEmpty();
        assertThat(list.rows()).isEqualTo(LiteLlmPrices.read(new ByteArrayInputStream(content)).size()).isGreaterThan(150);
        assertThat(cost(table(list), "gpt-4o-mini", 1_000_000, 0)).isEqualTo("0.15");
    }

    @Test
    void listReplacesTheModelsThatItNamesAndSettingsReplaceTheList() throws Exception {
        var bundled = PriceTable.of(Map.of(), new ConfigProblems());
        var list = parse("{\"prices\":[" + GOOD.replace("good", "gpt-4o") + "," + GOOD.replace("good", "gpt-4.1") + "]}");
        PriceConfig setting = new Setting("7", "7");
        var table = PriceTable.of(Map.of(Provider.OPENAI, Map.of("gpt-4.1", setting)), new ConfigProblems()).withList(list);
        assertThat(cost(bundled, "gpt-4o", 1_000_000, 0)).isEqualTo("2.5");
        assertThat(cost(table, "gpt-4o", 1_000_000, 0)).isEqualTo("1");
        assertThat(cost(table, "gpt-4.1", 1_000_000, 0)).isEqualTo("7");
        assertThat(cost(table, "o3", 1_000_000, 0)).isEqualTo(cost(bundled, "o3", 1_000_000, 0));
        assertThat(table.list(DAY)).filteredOn(row -> row.model().equals("gpt-4o") || row.model().equals("gpt-4.1")
                || row.model().equals("o3")).extracting(PriceListing::source).containsExactly("settings", "list", "bundled");
        assertThat(table.withList(PriceList.NONE).list(DAY)).hasSameSizeAs(bundled.list(DAY));
        assertThat(cost(table.withList(PriceList.NONE), "gpt-4o", 1_000_000, 0)).isEqualTo("2.5");
    }

    private record Setting(Optional<String> input, Optional<String> output) implements PriceConfig {

        Setting(String input, String output) {
            this(Optional.of(input), Optional.of(output));
        }

        @Override
        public Optional<String> cachedInput() {
            return Optional.empty();
        }

        @Override
        public Optional<String> cacheWrite() {
            return Optional.empty();
        }

        @Override
        public Optional<String> longCacheWrite() {
            return Optional.empty();
        }

        @Override
        public Optional<String> perImage() {
            return Optional.empty();
        }

        @Override
        public Optional<String> perMillionCharacters() {
            return Optional.empty();
        }

        @Override
        public Optional<String> perAudioMinute() {
            return Optional.empty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "[]", "\"prices\"", "{}", "{\"prices\":[]}", "{\"prices\":{}}", "{\"a\":1}", "NaN",
            "<html>",
            "{\"prices\":[" + GOOD, "{\"prices\":[" + GOOD + "]", "{" + GOOD_LITELLM, "{\"prices\":[" + GOOD + "]}{}",
            "{\"prices\":[" + GOOD + "]} x", "{\"prices\":[{\"provider\":\"openai\",\"model\":\"a\",\"input\":NaN}]}",
            "{\"a\":{\"litellm_provider\":\"openai\",\"mode\":\"chat\",\"input_cost_per_token\":NaN}," + GOOD_LITELLM + "}",
            "{\"a\":{\"litellm_provider\":\"other\",\"mode\":\"chat\",\"input_cost_per_token\":1}}",
            "{\"prices\":[" + GOOD + ",{\"provider\":\"openai\"", "{\"prices\":[1,2]}", "\0\0\0\0"})
    void documentThatIsNoListIsRejectedAsAWhole(String json) {
        assertThatThrownBy(() -> parse(json)).isInstanceOf(InvalidPriceListException.class)
                .hasMessageMatching("not (complete )?JSON.*|must be a price list: .*|no usable row, .*");
    }

    @Test
    void everyCutOfAListIsRejected() throws Exception {
        for (var json : new String[]{"{\"prices\":[" + GOOD + "]}", "{" + GOOD_LITELLM + "}"}) {
            for (int length = 0; length < json.length(); length++) {
                var cut = json.substring(0, length);
                assertThatThrownBy(() -> parse(cut)).as(cut).isInstanceOf(InvalidPriceListException.class);
            }
        }
    }

    @Test
    void messageContainsNoContent() {
        assertThatThrownBy(() -> parse("{\"prices\":[{\"secret\": hidden}]}"))
                .hasMessageMatching("not complete JSON: line 1, column [0-9]+");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
            "\"provider\":\"No Body\",\"input\":\"1\",\"output\":\"1\" | provider must be a name such as openai",
            "\"provider\":\"openai\",\"input\":\"1\" | output is missing",
            "\"provider\":\"openai\",\"output\":\"1\" | input is missing",
            "\"provider\":\"openai\",\"input\":\"-1\",\"output\":\"1\" | input is not US dollars",
            "\"provider\":\"openai\",\"input\":-1,\"output\":\"1\" | input is not US dollars",
            "\"provider\":\"openai\",\"input\":\"1000000000\",\"output\":\"1\" | input is not US dollars",
            "\"provider\":\"openai\",\"input\":1e9,\"output\":\"1\" | input is not US dollars",
            "\"provider\":\"openai\",\"input\":\"NaN\",\"output\":\"1\" | input is not US dollars",
            "\"provider\":\"openai\",\"input\":\"\",\"output\":\"1\" | input is not US dollars",
            "\"provider\":\"openai\",\"input\":true,\"output\":\"1\" | input is not US dollars",
            "\"provider\":\"openai\",\"input\":[1],\"output\":\"1\" | input is not US dollars",
            "\"provider\":\"openai\",\"input\":{\"output\":\"1\"},\"output\":\"1\" | input is not US dollars",
            "\"provider\":\"openai\",\"input\":\"1\",\"input\":\"2\",\"output\":\"1\" | provider must be",
            "\"provider\":\"openai\",\"input\":null,\"output\":\"1\" | input is missing",
            "\"provider\":\"openai\",\"input\":\"1\",\"output\":\"1\",\"cached_input\":\"x\" | cached_input is not US dollars",
            "\"provider\":\"openai\",\"input\":\"1\",\"output\":\"1\",\"factor_fast\":\"0.5\" | factor_fast must be 1 to 100",
            "\"provider\":\"openai\",\"input\":\"1\",\"output\":\"1\",\"web_search_1000\":\"-1\" | web_search_1000 is not US dollars",
            "\"provider\":\"openai\",\"input\":\"1\",\"output\":\"1\",\"from\":\"soon\" | from and until must be days",
            "\"provider\":\"openai\",\"input\":\"1\",\"output\":\"1\",\"from\":\"2026-02-02\",\"until\":\"2026-02-01\" | until is before from",
            "\"provider\":\"openai\",\"input\":\"1\",\"output\":\"1\",\"tiers\":[1] | service_tier is unknown",
            "\"provider\":\"openai\",\"input\":\"1\",\"output\":\"1\",\"tiers\":{} | tiers must be a list",
            "\"provider\":\"openai\",\"input\":\"1\",\"output\":\"1\",\"tiers\":[{\"above_prompt_tokens\":-1,\"input\":\"1\",\"output\":\"1\"}] | above_prompt_tokens must be 0 to",
            "\"provider\":\"openai\",\"input\":\"1\",\"output\":\"1\",\"tiers\":[{\"above_prompt_tokens\":1,\"input\":\"1\"}] | output is missing",
            "\"provider\":\"openai\",\"input\":\"1\",\"output\":\"1\",\"tiers\":[{\"input\":\"1\",\"output\":\"1\"},{\"input\":\"1\",\"output\":\"1\"}] | a tier occurs twice"})
    void badRowIsSkippedWithItsReason(String fields, String reason) throws Exception {
        var list = parse("{\"prices\":[{\"model\":\"bad\"," + fields + "}," + GOOD + "]}");
        assertThat(list.rows()).isEqualTo(1);
        assertThat(list.skippedRows()).isEqualTo(1);
        assertThat(list.skipped()).singleElement().asString().contains(reason);
        assertThat(table(list).find(Provider.OPENAI, "bad", DAY)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
            "\"input_cost_per_token\":-1e-6,\"output_cost_per_token\":1e-6 | input_cost_per_token is negative",
            "\"input_cost_per_token\":1e-6,\"output_cost_per_token\":1e9 | output_cost_per_token is too high",
            "\"input_cost_per_token\":1e-6,\"output_cost_per_token\":1e999999999 | output_cost_per_token is too high",
            "\"input_cost_per_token\":\"NaN\",\"output_cost_per_token\":1e-6 | input_cost_per_token is not a number",
            "\"input_cost_per_token\":\"1e-6\",\"output_cost_per_token\":1e-6 | input_cost_per_token is not a number",
            "\"input_cost_per_token\":true,\"output_cost_per_token\":1e-6 | input_cost_per_token is not a number",
            "\"input_cost_per_token\":{\"a\":1},\"output_cost_per_token\":1e-6 | input_cost_per_token is not a number",
            "\"input_cost_per_token\":1e-6 | a price of output is missing",
            "\"output_cost_per_token\":1e-6 | a price of input is missing",
            "\"input_cost_per_token\":1e-6,\"input_cost_per_token\":2e-6,\"output_cost_per_token\":1e-6 | input_cost_per_token occurs twice",
            "\"input_cost_per_token\":1e-6,\"output_cost_per_token\":1e-6,\"cache_read_input_token_cost\":-1 | cache_read_input_token_cost is negative",
            "\"input_cost_per_token\":1e-6,\"output_cost_per_token\":1e-6,\"search_context_cost_per_query\":{\"search_context_size_high\":-1} | search_context_size_high is negative"})
    void badRowOfLiteLlmIsSkippedWithItsReason(String fields, String reason) throws Exception {
        var list = parse("{\"bad\":{\"litellm_provider\":\"openai\",\"mode\":\"chat\"," + fields + "}," + GOOD_LITELLM + "}");
        assertThat(list.rows()).isEqualTo(1);
        assertThat(list.skippedRows()).isEqualTo(1);
        assertThat(list.skipped()).containsExactly("bad: " + reason);
        assertThat(table(list).find(Provider.OPENAI, "bad", DAY)).isEmpty();
    }

    @Test
    void neitherOfTwoRowsForOneModelIsBelieved() throws Exception {
        var other = GOOD.replace("good", "a").replace("\"1\"", "\"9\"");
        var list = parse("{\"prices\":[" + GOOD.replace("good", "a") + "," + GOOD + "," + other + "]}");
        assertThat(list.rows()).isEqualTo(1);
        assertThat(list.skippedRows()).isEqualTo(2);
        assertThat(list.skipped()).first().isEqualTo("a: there is another row for the same model and day");

        var liteLlm = parse(
                "{" + GOOD_LITELLM.replace("good", "a") + "," + GOOD_LITELLM + "," + GOOD_LITELLM.replace("good", "a")
                        + "}");
        assertThat(liteLlm.rows()).isEqualTo(1);
        assertThat(liteLlm.skipped()).containsExactly("a: the name occurs twice");
    }

    @Test
    void rowsOfDifferentDaysHoldOnTheirDays() throws Exception {
        var today = GOOD.replace("\"input\":\"1\"", "\"input\":\"1\",\"until\":\"2026-11-29\"");
        var later = GOOD.replace("\"input\":\"1\"", "\"input\":\"3\",\"from\":\"2026-11-30\"");
        var list = parse("{\"prices\":[" + today + "," + later + "]}");
        assertThat(list.rows()).isEqualTo(2);
        var table = table(list);
        assertThat(cost(table, "good", 1_000_000, 0)).isEqualTo("1");
        assertThat(Money.dollars(table.find(Provider.OPENAI, "good", DAY.plusDays(1)).orElseThrow()
                .picodollars(TokenUsage.of(1_000_000, 0)))).isEqualTo("3");
        assertThat(table.list(DAY)).filteredOn(row -> row.model().equals("good")).hasSize(1);
    }

    @Test
    void reasonsAreBoundedAndNamesThatAreNotValidAreNotShown() throws Exception {
        var json = new StringBuilder("{\"prices\":[" + GOOD);
        for (int i = 0; i < 1000; i++) {
            json.append(",{\"provider\":\"openai\",\"model\":\"a\\nb").append(i).append("\",\"input\":\"1\",\"output\":\"1\"}");
        }
        var list = parse(json.append("]}").toString());
        assertThat(list.rows()).isEqualTo(1);
        assertThat(list.skippedRows()).isEqualTo(1000);
        assertThat(list.skipped()).hasSize(PriceList.MAX_REASONS)
                .allMatch("(no valid name): model must be 1 to 128 visible ASCII characters"::equals);
    }
}
