package dev.sluice.llm.pricing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import com.fasterxml.jackson.databind.ObjectMapper;

import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ServiceTier;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.llm.protocol.UsageDetails;
import dev.sluice.llm.protocol.UsageKind;

class ToolFeesTest {

    private static UsageDetails details(Map<UsageKind, Long> quantities, String image) {
        return new UsageDetails(quantities, ServiceTier.STANDARD, false, "", List.of(), image);
    }

    private static String cost(String provider, String model, UsageKind kind, long quantity, String image) {
        var entry = BundledPrices.read().stream()
                .filter(row -> row.row().provider().id().equals(provider) && row.row().model().equals(model)).findFirst()
                .orElseThrow();
        return Money.dollars(entry.price().picodollars(TokenUsage.NONE, details(Map.of(kind, quantity), image)));
    }

    @ParameterizedTest
    @CsvSource({"openai, gpt-5.5, WEB_SEARCH, 0.01", "openai, gpt-5.5, FILE_SEARCH, 0.0025",
            "openai, gpt-5.5, CONTAINER_GIGABYTE, 0.03",
            "anthropic, claude-opus-5, WEB_SEARCH, 0.01", "gemini, gemini-embedding-2, WEB_SEARCH, 0.035",
            "gemini, gemini-2.5-flash, MAPS_SEARCH, 0.025", "gemini, gemini-3.8-flash, MAPS_SEARCH, 0.014",
            "xai, grok-4.5, WEB_SEARCH, 0.005", "xai, grok-4.5, FILE_SEARCH, 0.0025", "xai, grok-4.5, CODE_EXECUTION, 0.005",
            "xai, grok-4.5, DOCUMENT_SEARCH, 0.01", "xai, grok-4.5, X_SEARCH, 0.005", "xai, grok-4.5, X_PROFILE, 0.01"})
    void toolsHaveThePublishedFees(String provider, String model, UsageKind kind, String usd) {
        assertThat(cost(provider, model, kind, 1, "")).isEqualTo(usd);
        assertThat(new BigDecimal(cost(provider, model, kind, 1000, "")))
                .isEqualByComparingTo(new BigDecimal(usd).movePointRight(3));
    }

    /** A fee that a provider does not list is the dearest of any, not zero. */
    @ParameterizedTest
    @CsvSource({"openai, gpt-5.5, CODE_EXECUTION, 0.005", "openai, gpt-5.5, MAPS_SEARCH, 0.025",
            "anthropic, claude-opus-5, FILE_SEARCH, 0.0025"})
    void unlistedFeesAreTheDearest(String provider, String model, UsageKind kind, String usd) {
        assertThat(cost(provider, model, kind, 1, "")).isEqualTo(usd);
    }

    @Test
    void freeCallsHaveNoFees() {
        assertThat(ModelPrice.FREE.picodollars(TokenUsage.NONE, details(Map.of(UsageKind.WEB_SEARCH, 5L), ""))).isZero();
    }

    @Test
    void containerCostsWhatThePriceListSays() throws IOException {
        try (var list = ToolFeesTest.class.getResourceAsStream("litellm.json")) {
            var perSession = new ObjectMapper().readTree(list).path("openai/container")
                    .path("code_interpreter_cost_per_session");
            assertThat(ToolFees.of(Provider.OPENAI).get(UsageKind.CONTAINER_GIGABYTE))
                    .isEqualByComparingTo(new BigDecimal(perSession.asText()).movePointRight(3));
        }
    }

    /** One that is not listed has the fees of the provider whose API it has. */
    @Test
    void otherProvidersHaveTheFeesOfTheirApi() {
        assertThat(ToolFees.of(Provider.ofPriceList("azure"))).isEqualTo(ToolFees.of(Provider.OPENAI));
        assertThat(ToolFees.of(Provider.ofPriceList("xai"))).isNotEqualTo(ToolFees.of(Provider.OPENAI));
    }

    /** Defaults of DALL·E, whatever the name in the request: the price is that of the model behind it. */
    @ParameterizedTest
    @CsvSource({"'', 0.04", "hd/, 0.08", "1024x1792, 0.08", "hd/1024x1792, 0.12", "standard/1024x1024, 0.04"})
    void imagesOfDallEHaveADefaultQualityAndSize(String image, String usd) {
        assertThat(cost("openai", "dall-e-3", UsageKind.IMAGE, 1, image)).isEqualTo(usd);
    }

    @ParameterizedTest
    @CsvSource({"'', 0.02", "512x512, 0.018", "standard/256x256, 0.016"})
    void imagesOfTheOlderModelHaveADefaultSize(String image, String usd) {
        assertThat(cost("openai", "dall-e-2", UsageKind.IMAGE, 1, image)).isEqualTo(usd);
    }

    /** Of a model that is free, such as one of one's own, the tools are too. */
    @ParameterizedTest
    @CsvSource({"0, 0", "1, 0.03"})
    void freeModelHasNoFees(String input, String usd) {
        var calls = TokenPrices.of(Map.of(TokenKind.INPUT, new BigDecimal(input), TokenKind.OUTPUT, BigDecimal.ZERO)).isFree()
                ? CallPrices.FREE
                : CallPrices.usual(Provider.OPENAI, UnitPrices.NONE);
        var price = ModelPrice.configured("m", new TokenPrices(0, 0, 0, 0, 0), calls);
        assertThat(Money.dollars(price.picodollars(TokenUsage.NONE, details(Map.of(UsageKind.CONTAINER_GIGABYTE, 1L), ""))))
                .isEqualTo(usd);
    }
}
