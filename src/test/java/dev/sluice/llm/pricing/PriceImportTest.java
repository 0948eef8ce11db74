package dev.sluice.llm.pricing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

import org.junit.jupiter.api.Test;

import dev.sluice.llm.protocol.ServiceTier;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.llm.protocol.UsageDetails;
import dev.sluice.llm.protocol.UsageKind;

class PriceImportTest {

    private static final LocalDate DAY = LocalDate.of(2026, 3, 1);

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String generate(String list, String typed) throws IOException {
        var json = PriceImport.generate(utf8(list), utf8("{\"prices\": [" + typed + "]}"), DAY);
        return json.substring(json.indexOf('[', json.indexOf("\"prices\"")) + 1, json.lastIndexOf(']')).strip();
    }

    @Test
    void bundledPricesAreGenerated() throws IOException {
        try (var list = PriceImportTest.class.getResourceAsStream("litellm.json");
                var bundled = BundledPrices.class.getResourceAsStream("prices.json")) {
            assertThat(PriceImport.generate(list.readAllBytes(), Files.readAllBytes(Path.of("src/build/typed-prices.json")),
                    PriceTable.bundledAsOf()))
                    .isEqualTo(new String(bundled.readAllBytes(), StandardCharsets.UTF_8));
        }
    }

    @Test
    void dearerPriceHoldsAndTheSourceSaysSo() throws IOException {
        var list = """
                {"m": {"litellm_provider": "anthropic", "mode": "chat", "input_cost_per_token": 3e-06, "output_cost_per_token": 1e-05,
                       "cache_read_input_token_cost": 3e-07},
                 "m-20260101": {"litellm_provider": "anthropic", "mode": "chat", "input_cost_per_token": 3e-06,
                       "output_cost_per_token": 1e-05, "cache_read_input_token_cost": 3e-07},
                 "m-20260601": {"litellm_provider": "anthropic", "mode": "chat", "input_cost_per_token": 1e-06,
                       "output_cost_per_token": 1e-05}}""";
        var own = "{\"provider\": \"anthropic\", \"model\": \"m-20260601\", \"input\": \"1\", \"cached_input\": \"1\", "
                + "\"cache_write\": \"1\", \"cache_write_1h\": \"2\", \"output\": \"10\", \"source\": \"LiteLLM\"}";
        var prefix = "{\"provider\": \"anthropic\", \"model\": \"m\", ";
        var listed = prefix + "\"input\": \"3\", \"cached_input\": \"0.3\", \"cache_write\": \"3\", \"cache_write_1h\": \"6\", "
                + "\"output\": \"10\", \"source\": \"";
        assertThat(generate(list, "")).isEqualTo(listed + "LiteLLM\"},\n    " + own);
        assertThat(generate(list, listed + "a page\"}")).isEqualTo(listed + "LiteLLM\"},\n    " + own);
        assertThat(generate(list, listed.replace("0.3", "0.2") + "a page\"}"))
                .isEqualTo(listed + "LiteLLM; cheaper: a page\"},\n    " + own);
        var dearer = listed.replace("0.3", "0.4") + "a page";
        assertThat(generate(list, dearer + "\"}")).isEqualTo(dearer + "; cheaper: LiteLLM\"},\n    " + own);
        assertThat(generate(list, listed.replace("0.3", "0.4").replace("10", "9") + "a page\"}"))
                .isEqualTo(listed.replace("0.3", "0.4") + "the dearer of LiteLLM, and a page\"},\n    " + own);
    }

    @Test
    void typedRowsKeepTheirDatesAndTiers() throws IOException {
        var prices = "\"input\": \"3\", \"cached_input\": \"3\", \"cache_write\": \"3\", \"output\": \"10\"";
        var typed = "{\"provider\": \"openai\", \"model\": \"m\", \"until\": \"2026-12-31\", " + prices + ", \"tiers\": "
                + "[{\"above_prompt_tokens\": 5000, " + prices + "}], \"source\": \"a page\"}";
        assertThat(generate("{}", typed)).isEqualTo(typed);
        var list = "{\"m\": {\"litellm_provider\": \"openai\", \"mode\": \"chat\", \"input_cost_per_token\": 0.000004, "
                + "\"output_cost_per_token\": 1e-05}}";
        assertThat(generate(list, typed))
                .isEqualTo(typed.replace("\"3\"", "\"4\"").replace("a page", "the dearer of LiteLLM, and a page"));
    }

    @Test
    void readsAmountsAsDecimals() throws IOException {
        var list = """
                {"sample_spec": {"mode": "one of", "input_cost_per_token": 0.1}, "text": "x",
                 "gemini/m": {"litellm_provider": "gemini", "mode": "chat", "input_cost_per_token": 1.00000000000000000001e-07,
                   "output_cost_per_token": 1.5625e-05, "input_cost_per_token_above_200k_tokens": 2E-7, "search": {"a": [1, {}]},
                   "input_cost_per_token_flex": 9, "output_cost_per_token_above_128k_tokens_flex": 9}}""";
        var row = LiteLlmPrices.read(new ByteArrayInputStream(utf8(list)));
        assertThat(row).singleElement().satisfies(read -> {
            assertThat(read.model()).isEqualTo("m");
            assertThat(read.prices()).hasToString(
                    "{INPUT=0.100001, CACHED_INPUT=0.100001, CACHE_WRITE=0.100001, OUTPUT=15.625}"); // rounded up
            assertThat(read.tiers()).hasToString(
                    "{PriceTier[service=STANDARD, above=200000]={INPUT=0.2, CACHED_INPUT=0.2, CACHE_WRITE=0.2, OUTPUT=15.625}}");
        });
    }

    /** As the rows of DALL·E were: prices of pixels, which are rounded, and one row for each quality and size. */
    @Test
    void readsPricesOfUnits() throws IOException {
        var list = """
                {"hd/1024-x-1792/dall-e-3": {"litellm_provider": "openai", "mode": "image_generation", "input_cost_per_pixel": 6.539e-08, "output_cost_per_pixel": 0.0},
                 "standard/1024-x-1024/dall-e-3": {"litellm_provider": "openai", "mode": "image_generation", "input_cost_per_pixel": 3.81469e-08},
                 "256-x-256/dall-e-2": {"litellm_provider": "openai", "mode": "image_generation", "input_cost_per_pixel": 2.4414e-07},
                 "low/1024-x-1024/tokens": {"litellm_provider": "openai", "mode": "image_generation", "input_cost_per_image": 0.011},
                 "tokens": {"litellm_provider": "openai", "mode": "image_generation", "input_cost_per_token": 1e-06, "output_cost_per_image_token": 4e-05},
                 "imagen": {"litellm_provider": "gemini", "mode": "image_generation", "output_cost_per_image": 0.04},
                 "free": {"litellm_provider": "gemini", "mode": "image_generation", "output_cost_per_image": 0},
                 "speech": {"litellm_provider": "openai", "mode": "audio_speech", "input_cost_per_character": 1.5e-05},
                 "text": {"litellm_provider": "openai", "mode": "audio_transcription", "input_cost_per_second": 0.0001, "output_cost_per_second": 0.0002},
                 "rounded": {"litellm_provider": "openai", "mode": "audio_transcription", "input_cost_per_second": 0.000283333333333},
                 "film": {"litellm_provider": "openai", "mode": "video_generation", "output_cost_per_video_per_second": 0.1}}""";
        var prefix = "{\"provider\": \"openai\", \"model\": \"";
        var source = "\", \"source\": \"LiteLLM\"}";
        assertThat(generate(list, "").split(",\n *")).containsExactly(
                prefix + "dall-e-2\", \"per_image_256x256\": \"0.016" + source,
                prefix + "dall-e-3\", \"per_image_hd/1024x1792\": \"0.12\", \"per_image_standard/1024x1024\": \"0.04" + source,
                prefix + "rounded\", \"per_million_seconds\": \"283.333334" + source,
                prefix + "speech\", \"per_million_characters\": \"15" + source,
                prefix + "text\", \"per_million_seconds\": \"200" + source,
                prefix + "tokens\", \"input\": \"1\", \"cached_input\": \"1\", \"cache_write\": \"1\", \"image_output\": \"40\", \"output\": \"40"
                        + source,
                prefix.replace("openai", "gemini") + "imagen\", \"per_image\": \"0.04" + source);
    }

    /** Of the qualities of one size that a request may get, the dearest is assumed. */
    @Test
    void imagesCostTheirVariantOrTheDearest() throws IOException {
        var row = new ByteArrayInputStream(
                utf8("""
                        {"prices": [{"provider": "openai", "model": "m", "per_image_standard/1024x1024": "0.04", "per_image_hd/1024x1024": "0.08",
                         "per_image_hd/1792x1024": "0.12", "source": "x"}]}"""));
        var price = PriceEntry.of(BundledPrices.readRows(row).get(0), "test").price();
        var costs = new TreeMap<String, Long>();
        for (var image : new String[]{"standard/1024x1024", "hd/1024x1024", "1024x1024", "low/1024x1024", "standard/9x9", ""}) {
            costs.put(image, price.picodollars(TokenUsage.NONE, new UsageDetails(Map.of(UsageKind.IMAGE, 3L),
                    ServiceTier.STANDARD, false, "", List.of(), image)) / 1_000_000_000);
        }
        assertThat(costs).isEqualTo(Map.of("standard/1024x1024", 120L, "hd/1024x1024", 240L, "1024x1024", 240L,
                "low/1024x1024", 240L, "standard/9x9", 360L, "", 360L));
    }

    @Test
    void leavesOutModelsThatAreNotBilledByTokens() throws IOException {
        var list = """
                {"other": {"litellm_provider": "azure", "mode": "chat", "input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06},
                 "half": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-06},
                 "negative": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": -1, "output_cost_per_token": 1e-06},
                 "huge": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e999999, "output_cost_per_token": 1},
                 "tiny": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-999999, "output_cost_per_token": 0},
                 "unknown": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 0, "output_cost_per_token": 0.0},
                 "songs": {"litellm_provider": "gemini", "mode": "chat", "input_cost_per_token": 0, "output_cost_per_token": 0,
                   "output_cost_per_image": 0.04},
                 "voice": {"litellm_provider": "gemini", "mode": "realtime", "input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06,
                   "output_cost_per_second": 3e-06}}""";
        assertThat(LiteLlmPrices.read(new ByteArrayInputStream(utf8(list)))).isEmpty();
        var read = """
                {"free": {"litellm_provider": "gemini", "mode": "chat", "input_cost_per_token": 0, "output_cost_per_token": 0.0},
                 "vectors": {"litellm_provider": "openai", "mode": "embedding", "input_cost_per_token": 1e-06},
                 "voice": {"litellm_provider": "gemini", "mode": "audio_speech", "input_cost_per_token": 1e-06,
                   "output_cost_per_token": 2e-06, "output_cost_per_audio_token": 0.000003}}""";
        assertThat(LiteLlmPrices.read(new ByteArrayInputStream(utf8(read)))).extracting(PriceRow::model)
                .containsExactly("free", "vectors", "voice");
    }
}
