package dev.sluice.llm.pricing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

import org.junit.jupiter.api.Test;

class PriceImportTest {

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String generate(String list, String typed) throws IOException {
        var json = PriceImport.generate(utf8(list), utf8("{\"prices\": [" + typed + "]}"));
        return json.substring(json.indexOf('[', json.indexOf("\"prices\"")) + 1, json.lastIndexOf(']')).strip();
    }

    @Test
    void bundledPricesAreGenerated() throws IOException {
        try (var list = PriceImportTest.class.getResourceAsStream("litellm.json");
                var bundled = BundledPrices.class.getResourceAsStream("prices.json")) {
            assertThat(PriceImport.generate(list.readAllBytes(), Files.readAllBytes(Path.of("src/build/typed-prices.json"))))
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

    @Test
    void leavesOutModelsThatAreNotBilledByTokens() throws IOException {
        var list = """
                {"other": {"litellm_provider": "azure", "mode": "chat", "input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06},
                 "half": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-06},
                 "negative": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": -1, "output_cost_per_token": 1e-06},
                 "huge": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e999999, "output_cost_per_token": 1},
                 "tiny": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-999999, "output_cost_per_token": 0},
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
