package dev.sluice.llm.pricing;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.LocalDate;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.config.ConfigProblems;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ServiceTier;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.llm.protocol.UsageDetails;
import dev.sluice.llm.protocol.UsageKind;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;
import io.smallrye.config.WithParentName;

class PriceTableTest {

    private static final LocalDate DAY = LocalDate.of(2026, 11, 23);

    private final ConfigProblems problems = new ConfigProblems();
    private final PriceTable table = PriceTable.of(Map.of(), problems);

    private String cost(Provider provider, String model, TokenUsage usage) {
        return Money.dollars(table.find(provider, model, DAY).orElseThrow().picodollars(usage));
    }

    private Optional<String> name(Provider provider, String model) {
        return table.find(provider, model, DAY).map(ModelPrice::name);
    }

    @ParameterizedTest
    @CsvSource({
            // 1,000 tokens outside the cache, 2,000 read from it, 300 written for minutes, 50 for an hour, 400 of output
            "openai, gpt-6-astra, 0.036375", "openai, gpt-6.1-sol, 0.007075", "openai, gpt-6-sol, 0.007275",
            "openai, gpt-6-luna, 0.00036375", "openai, gpt-5.6-sol, 0.01455", "openai, gpt-5.6-terra, 0.008075",
            "openai, gpt-5.6-luna, 0.0008075", "openai, gpt-5.5, 0.01975", "openai, gpt-5.4, 0.009875",
            "openai, gpt-5.4-mini, 0.0029625", "openai, gpt-5.4-nano, 0.00081", "openai, gpt-5.2, 0.0083125",
            "openai, gpt-5.1, 0.0059375", "openai, gpt-5, 0.0059375", "openai, gpt-5-mini, 0.0011875",
            "openai, gpt-5-nano, 0.0002375", "openai, gpt-4.1, 0.0069", "openai, gpt-4.1-mini, 0.00138",
            "openai, gpt-4.1-nano, 0.000345", "openai, gpt-4o, 0.009875", "openai, gpt-4o-mini, 0.0005925",
            "openai, o3, 0.0069", "openai, o4-mini, 0.003795", "openai, text-embedding-3-small, 0.000067",
            "openai, text-embedding-3-large, 0.0004355",
            "anthropic, claude-fable-5-1, 0.03525", "anthropic, claude-fable-5, 0.03675",
            "anthropic, claude-opus-5-5, 0.0143", "anthropic, claude-opus-5, 0.018375",
            "anthropic, claude-opus-4-8, 0.018375", "anthropic, claude-opus-4-7, 0.018375",
            "anthropic, claude-opus-4-6, 0.018375", "anthropic, claude-opus-4-5, 0.018375",
            "anthropic, claude-opus-4-1, 0.055125", "anthropic, claude-sonnet-5-5, 0.00715",
            "anthropic, claude-sonnet-5, 0.00735", "anthropic, claude-sonnet-4-6, 0.011025",
            "anthropic, claude-sonnet-4-5, 0.011025", "anthropic, claude-haiku-5-5, 0.0003675",
            "anthropic, claude-haiku-4-5, 0.003675",
            "gemini, gemini-3.8-flash, 0.0026625", "gemini, gemini-3.7-flash, 0.0026625", "gemini, gemini-3.6-flash, 0.0026625",
            "gemini, gemini-3.5-flash, 0.005925", "gemini, gemini-3.5-flash-lite, 0.001465",
            "gemini, gemini-3.1-pro-preview, 0.0079", "gemini, gemini-3.1-flash-lite, 0.0009875",
            "gemini, gemini-3-flash-preview, 0.001975", "gemini, gemini-2.5-pro, 0.0059375",
            "gemini, gemini-2.5-flash, 0.001465", "gemini, gemini-2.5-flash-lite, 0.000315",
            "gemini, gemini-embedding-001, 0.0005025"})
    void computesExactCosts(String provider, String model, String dollars) {
        assertThat(cost(Provider.ofPriceList(provider), model, new TokenUsage(3350, 2000, 350, 50, 400))).isEqualTo(dollars);
    }

    @Test
    void tokenPriceIsAWholeNumberOfPicodollars() {
        assertThat(cost(Provider.OPENAI, "gpt-5-nano", new TokenUsage(1, 1, 0, 0, 0))).isEqualTo("0.000000005");
        assertThat(cost(Provider.OPENAI, "gpt-4o-mini", TokenUsage.of(1, 0))).isEqualTo("0.00000015");
        assertThat(cost(Provider.ANTHROPIC, "claude-haiku-4-5", TokenUsage.NONE)).isEqualTo("0");
    }

    @ParameterizedTest
    @CsvSource({"openai, gpt-5.4, 272000, 0.68015, 272001, 1.360230", "openai, gpt-5.6-sol, 272000, 1.0882, 272001, 2.176308",
            "openai, gpt-5.4-mini, 272000, 0.204045, 272001, 0.20404575",
            "anthropic, claude-sonnet-4-5, 200000, 0.60015, 200001, 0.600153",
            "anthropic, claude-haiku-5-5, 100000, 0.010005, 100001, 0.0500255",
            "anthropic, claude-sonnet-4-6, 200000, 0.60015, 200001, 0.600153",
            "gemini, gemini-3.1-pro-preview, 200000, 0.40012, 200001, 0.800184",
            "gemini, gemini-2.5-pro, 200000, 0.2501, 200001, 0.5001525"})
    void longPromptsHaveTheirOwnPrices(String provider, String model, long upTo, BigDecimal dollars, long above,
            BigDecimal more) {
        var who = Provider.ofPriceList(provider);
        assertThat(new BigDecimal(cost(who, model, TokenUsage.of(upTo, 10)))).isEqualByComparingTo(dollars);
        assertThat(new BigDecimal(cost(who, model, TokenUsage.of(above, 10)))).isEqualByComparingTo(more);
    }

    @Test
    void cachedInputCountsTowardsLongPrompts() {
        assertThat(cost(Provider.ANTHROPIC, "claude-haiku-5-5", new TokenUsage(300_000, 100_000, 200_000, 100_000, 1000)))
                .isEqualTo("0.17");
    }

    @Test
    void pricesChangeWithTheDay() {
        var usage = new TokenUsage(2_000_000, 1_000_000, 0, 0, 1_000_000);
        assertThat(table.find(Provider.GEMINI, "gemini-3.8-flash", LocalDate.of(2026, 12, 31)).orElseThrow().picodollars(usage))
                .isEqualTo(4_575_000_000_000L);
        assertThat(table.find(Provider.GEMINI, "gemini-3.8-flash", LocalDate.of(2027, 1, 1)).orElseThrow().picodollars(usage))
                .isEqualTo(9_150_000_000_000L);
    }

    @ParameterizedTest
    @CsvSource({"gpt-4o, gpt-4o", "gpt-4o-2024-11-20, gpt-4o", "gpt-4o-mini, gpt-4o-mini",
            "gpt-4o-mini-2024-07-18, gpt-4o-mini", "gpt-4o-latest, gpt-4o", "gpt-4o-2024-05-13, gpt-4o-2024-05-13",
            "gpt-5.4-mini-2026-03-05, gpt-5.4-mini", "gpt-5.5-pro, gpt-5.5-pro", "gpt-5.5-pro-2026-04-23, gpt-5.5-pro",
            "gpt-5-codex, gpt-5-codex", "models/gpt-4o, gpt-4o", "openai/gpt-4o, gpt-4o", "models/openai/gpt-4o, gpt-4o",
            "ft:gpt-4o-2024-11-20:org::id, ft:gpt-4o-2024-11-20", "openai/ft:gpt-4o-2024-08-06:o:s:id, ft:gpt-4o-2024-08-06",
            "gpt-4-0613, gpt-4", "gpt-4-1106-preview, gpt-4-1106-preview", "chat-latest, chat-latest"})
    void namesAndTheirAliasesHaveOnePrice(String model, String name) {
        assertThat(name(Provider.OPENAI, model)).contains(name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "-", "gpt", "gpt-4omni", "gpt-4o3", "GPT-4o", " gpt-4o", "gpt-5.3", "claude-opus-5", "models/",
            "models/models/gpt-4o", "x/gpt-4o", "anthropic/gpt-4o", "openai/openai/gpt-4o", "openai/models/gpt-4o",
            // other models, and names that are no documented alias
            "gpt-4o:latest", "gpt-4o-", "gpt-5-ultra", "gpt-5.1-pro", "gpt-4o-image", "gpt-4o-audio-preview", "chat",
            "gpt-4o-latest-latest", "gpt-4o-latest-2024-11-20", "gpt-5-2025-08-07-2025-08-07", "gpt-4o@20241120",
            // a fine-tuned model does not have the price of its base
            "ft:gpt-4o", "ft:gpt-5", "ft:gpt-5:org::id", "ft:", "ft::gpt-4o",
            // no dates
            "gpt-4o-2024-13-20", "gpt-4o-2024-11-31", "gpt-4o-2023-02-29", "gpt-4o-1024-11-20", "gpt-4o-20241320",
            "gpt-4o-20230229", "gpt-4o-1320", "gpt-4o-0230", "gpt-4o-1", "gpt-4o-12", "gpt-4o-12345", "gpt-4o_001",
            "gpt-4o2024-11-20", "gpt-4o-2024_11_20", "gpt-4o-24-11-20", "gpt-4o-123456789"})
    void unknownModelHasNoPrice(String model) {
        assertThat(name(Provider.OPENAI, model)).isEmpty();
    }

    @Test
    void matchesAnthropicAndGeminiNames() {
        assertThat(name(Provider.ANTHROPIC, "claude-opus-5-5-20261001")).contains("claude-opus-5-5");
        assertThat(name(Provider.ANTHROPIC, "claude-opus-5-20260601")).contains("claude-opus-5");
        assertThat(name(Provider.ANTHROPIC, "claude-opus-4-20250514")).isEmpty();
        assertThat(name(Provider.ANTHROPIC, "claude-sonnet-4-5@20250929")).contains("claude-sonnet-4-5");
        assertThat(name(Provider.ANTHROPIC, "anthropic/claude-sonnet-4.5")).contains("claude-sonnet-4-5");
        assertThat(name(Provider.ANTHROPIC, "claude-sonnet-4.5-20250929")).contains("claude-sonnet-4-5");
        assertThat(name(Provider.ANTHROPIC, "claude-sonnet-4.5.")).isEmpty();
        assertThat(name(Provider.ANTHROPIC, "claude-sonnet-4-5@2025-09-29")).isEmpty();
        assertThat(name(Provider.GEMINI, "models/gemini-2.5-flash-lite-preview")).isEmpty();
        assertThat(name(Provider.GEMINI, "models/gemini-2.5-flash-lite-001")).contains("gemini-2.5-flash-lite");
        assertThat(name(Provider.GEMINI, "google/gemini-2.5-flash")).contains("gemini-2.5-flash");
        assertThat(name(Provider.GEMINI, "gemini/gemini-2.5-flash")).contains("gemini-2.5-flash");
        assertThat(name(Provider.GEMINI, "gemini-2.5-flash-image")).contains("gemini-2.5-flash-image");
        assertThat(name(Provider.GEMINI, "gemini-2.5-flash-pictures")).isEmpty();
        assertThat(name(Provider.GEMINI, "gemini-flash")).isEmpty();
        assertThat(name(Provider.GEMINI, "gemini-flash-latest-001")).isEmpty();
        assertThat(name(Provider.GEMINI, "gpt-4o")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"-", ":", "x", "gpt-4o-mini-", "0", "-001", "-latest", "models/", "ft:", "4.5"})
    void acceptsNamesOfAnyLength(String part) {
        var tail = part.repeat(10_240 / part.length());
        assertThat(name(Provider.OPENAI, "gpt-4o-" + tail)).isEmpty();
        assertThat(name(Provider.OPENAI, "y" + tail)).isEmpty();
        assertThat(name(Provider.OPENAI, tail + "gpt-4o")).isEmpty();
        assertThat(name(Provider.ANTHROPIC, "claude-" + tail)).isEmpty();
    }

    @Test
    void anotherModelsNameHasItsOwnPrice() {
        assertThat(cost(Provider.OPENAI, "gpt-5.5-pro", TokenUsage.of(1000, 1000))).isEqualTo("0.21");
        assertThat(cost(Provider.OPENAI, "gpt-5.5", TokenUsage.of(1000, 100))).isEqualTo("0.008");
        assertThat(cost(Provider.ANTHROPIC, "claude-opus-4-8", TokenUsage.of(412, 264))).isEqualTo("0.00866");
        assertThat(cost(Provider.GEMINI, "gemini-3.8-flash", TokenUsage.of(1000, 1000))).isEqualTo("0.0045");
        assertThat(cost(Provider.GEMINI, "gemini-flash-latest", TokenUsage.of(1000, 1000))).isEqualTo("0.0045");
    }

    @Test
    void largestCostFitsALong() {
        var dear = table(Map.of("input", "10000", "cached-input", "10000", "cache-write", "10000", "cache-write-1h", "10000",
                "output", "10000"), Provider.ANTHROPIC).find(Provider.ANTHROPIC, "a", DAY).orElseThrow();
        long max = TokenUsage.MAX;
        assertThat(Money.dollars(dear.picodollars(TokenUsage.of(max, max)))).isEqualTo("2000000");
        assertThat(Money.dollars(dear.picodollars(new TokenUsage(max, max, 0, 0, max)))).isEqualTo("2000000");
        assertThat(Money.dollars(dear.picodollars(new TokenUsage(max, 0, max, max / 2, max)))).isEqualTo("2000000");
        var dearest = table(Map.of("input", "10000", "output", "10000"), Provider.ANTHROPIC)
                .find(Provider.ANTHROPIC, "a", DAY).orElseThrow();
        assertThat(Money.dollars(dearest.picodollars(new TokenUsage(max, 0, max, max, max)))).isEqualTo("3000000");
        assertThat(problems.lines()).isEmpty();
    }

    @Test
    void bundledPricesAreUnambiguous() {
        var entries = BundledPrices.read();
        assertThat(entries).hasSizeGreaterThan(150).allSatisfy(entry -> assertThat(entry.row().provider()).isNotNull());
        for (var entry : entries) {
            assertThat(entries.stream().filter(other -> other.row().provider() == entry.row().provider()
                    && other.price().name().equals(entry.price().name()) && other.isValidOn(DAY))).hasSize(1);
        }
    }

    interface Tree {

        @WithParentName
        Map<String, ProviderTree> providers();
    }

    interface ProviderTree {

        Map<String, PriceConfig> prices();
    }

    /** Returns a table with a configured model {@code a}. */
    private PriceTable table(Map<String, String> values, Provider provider) {
        var properties = new HashMap<String, String>();
        values.forEach((name, value) -> properties.put(provider.id() + ".prices.a." + name, value));
        return configured(properties);
    }

    /** @param values by property, without {@code rate-limit.llm.} */
    private PriceTable configured(Map<String, String> values) {
        var properties = new HashMap<String, String>();
        values.forEach((name, value) -> properties.put("rate-limit.llm." + name, value));
        var tree = new SmallRyeConfigBuilder().withMapping(Tree.class, "rate-limit.llm")
                .withSources(new PropertiesConfigSource(properties, "test", 100)).build()
                .getConfigMapping(Tree.class, "rate-limit.llm");
        var byProvider = new HashMap<Provider, Map<String, PriceConfig>>();
        tree.providers().forEach((id, provider) -> byProvider.put(Provider.ofPriceList(id), provider.prices()));
        return PriceTable.of(byProvider, problems);
    }

    @Test
    void configuredPriceReplacesBundledOnes() {
        var table = configured(Map.of("gemini.prices.\"gemini-3.8-flash\".input", "1.000001",
                "gemini.prices.\"gemini-3.8-flash\".output", "2", "openai.prices.\"gpt-5.4\".input", "1",
                "openai.prices.\"gpt-5.4\".output", "1", "openai.prices.\"my-model\".input", "3",
                "openai.prices.\"my-model\".cached-input", "1", "openai.prices.\"my-model\".cache-write", "4",
                "openai.prices.\"my-model\".cache-write-1h", "5", "openai.prices.\"my-model\".output", "7"));
        assertThat(problems.lines()).isEmpty();
        for (var day : new LocalDate[]{DAY, LocalDate.of(2027, 6, 1)}) {
            assertThat(table.find(Provider.GEMINI, "gemini-3.8-flash-001", day).orElseThrow()
                    .picodollars(TokenUsage.of(10, 0))).isEqualTo(10_000_010);
        }
        assertThat(table.find(Provider.OPENAI, "gpt-5.4", DAY).orElseThrow().picodollars(TokenUsage.of(1_000_000, 0)))
                .isEqualTo(1_000_000_000_000L);
        assertThat(table.find(Provider.OPENAI, "my-model-2", DAY)).isEmpty();
        assertThat(table.find(Provider.OPENAI, "models/my-model-2026-01-31", DAY).orElseThrow()
                .picodollars(new TokenUsage(1111, 100, 11, 1, 10_000))).isEqualTo(
                        1000 * 3_000_000L + 100 * 1_000_000L + 10 * 4_000_000L + 5_000_000L + 10_000 * 7_000_000L);
        assertThat(table.find(Provider.OPENAI, "gpt-4o", DAY)).isPresent();
    }

    @Test
    void unitsCanBeConfigured() {
        var table = configured(
                Map.of("openai.prices.\"images\".per-image", "0.045", "openai.prices.\"speech\".per-million-characters",
                        "15.5", "openai.prices.\"text\".per-audio-minute", "0.00185"));
        assertThat(problems.lines()).isEmpty();
        assertThat(cost(table, "images", UsageKind.IMAGE, 2)).isEqualTo("0.09");
        assertThat(cost(table, "speech", UsageKind.CHARACTER, 1000)).isEqualTo("0.0155");
        assertThat(cost(table, "text", UsageKind.AUDIO_MILLISECOND, 60_000)).isEqualTo("0.00185000004"); // rounded up by the second
        assertThat(table.find(Provider.OPENAI, "text", DAY).orElseThrow().isConfigured()).isTrue();
    }

    private static String cost(PriceTable table, String model, UsageKind kind, long count) {
        return Money.dollars(table.find(Provider.OPENAI, model, DAY).orElseThrow().picodollars(TokenUsage.NONE,
                new UsageDetails(Map.of(kind, count), ServiceTier.STANDARD, false, "", List.of())));
    }

    @ParameterizedTest
    @CsvSource({"per-image, 1000.1, 0 to 1000 ", "per-image, -1, 0 to 1000 ", "per-million-characters, 10001, 0 to 10000 ",
            "per-audio-minute, 0.61, 0 to 0.6 ", "per-audio-minute, x, 0 to 0.6 "})
    void invalidUnitsAreReported(String name, String value, String allowed) {
        table(Map.of(name, value), Provider.OPENAI);
        assertThat(problems.lines()).singleElement().asString().contains("prices.\"a\"." + name, value, allowed);
    }

    @Test
    void tokensAndUnitsAreNotCombined() {
        table(Map.of("input", "1", "per-image", "1"), Provider.OPENAI);
        assertThat(problems.lines()).singleElement().asString().contains("not of both");
    }

    @ParameterizedTest
    @CsvSource({"openai, 4, 5, 5", "anthropic, 4, 5, 8", "gemini, 4, 4, 4", "openai, 0.000001, 0.000002, 0.000002"})
    void defaultsAreNotCheaperThanInput(Provider provider, String input, String write, String longWrite) {
        var price = table(Map.of("input", input, "output", "1"), provider).find(provider, "a", DAY).orElseThrow();
        long million = 1_000_000;
        assertThat(Money.dollars(price.picodollars(new TokenUsage(million, million, 0, 0, 0)))).isEqualTo(input);
        assertThat(Money.dollars(price.picodollars(new TokenUsage(million, 0, million, 0, 0)))).isEqualTo(write);
        assertThat(Money.dollars(price.picodollars(new TokenUsage(million, 0, million, million, 0)))).isEqualTo(longWrite);
    }

    @ParameterizedTest
    @ValueSource(strings = {"-1", "+1", "ten", "1e3", "1,5", "0.0000001", "10000.000001", "10001", "1.2.3", ".", "$2", "１",
            "NaN",
            "99999999999999999999999999999999999999", "2.50 per million"})
    void reportsInvalidPrice(String text) {
        var table = configured(Map.of("openai.prices.\"gpt-4o\".input", text, "openai.prices.\"gpt-4o\".output", "1",
                "openai.prices.\"gpt-4o\".cached-input", text));
        assertThat(problems.lines()).containsExactly(
                "rate-limit.llm.openai.prices.\"gpt-4o\".input=" + text + ": " + Money.PRICE_SYNTAX,
                "rate-limit.llm.openai.prices.\"gpt-4o\".cached-input=" + text + ": " + Money.PRICE_SYNTAX);
        assertThat(table.find(Provider.OPENAI, "gpt-4o", DAY).orElseThrow().picodollars(TokenUsage.of(1, 0)))
                .isEqualTo(2_500_000);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "10000", " 2.50 ", "2.500000000", "0.000001", ".5", "5.", "007"})
    void acceptsValidPrice(String text) {
        table(Map.of("input", text, "output", text), Provider.OPENAI);
        assertThat(problems.lines()).isEmpty();
    }

    @Test
    void reportsMissingPrice() {
        configured(
                Map.of("openai.prices.\"gpt-9\".cached-input", "1", "anthropic.prices.\"" + "m".repeat(129) + "\".input", "1",
                        "gemini.prices.\"a b\".input", "1"));
        assertThat(problems.lines()).hasSize(4)
                .anyMatch(line -> line.startsWith("rate-limit.llm.openai.prices.\"gpt-9\".input=: missing"))
                .anyMatch(line -> line.startsWith("rate-limit.llm.openai.prices.\"gpt-9\".output=: missing"))
                .anyMatch(line -> line.startsWith("rate-limit.llm.anthropic.prices.\"mmm"))
                .anyMatch(line -> line.startsWith("rate-limit.llm.gemini.prices.\"a b\".*="));
    }

    @Test
    void formatsDollarsWithoutExponent() {
        assertThat(Money.dollars(0)).isEqualTo("0");
        assertThat(Money.dollars(1)).isEqualTo("0.000000000001");
        assertThat(Money.dollars(12_345_000_000L)).isEqualTo("0.012345");
        assertThat(Money.dollars(100_000_000_000_000L)).isEqualTo("100");
        assertThat(Money.dollars(Long.MAX_VALUE)).isEqualTo("9223372.036854775807");
        assertThat(Money.dollars(BigInteger.valueOf(Long.MAX_VALUE).multiply(BigInteger.TEN)))
                .isEqualTo("92233720.36854775807");
    }
}
