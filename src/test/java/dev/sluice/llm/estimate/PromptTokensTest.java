package dev.sluice.llm.estimate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Percentage.withPercentage;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;

import dev.sluice.llm.protocol.LlmRequestParser;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderOperation;
import io.netty.buffer.ByteBufInputStream;
import io.netty.buffer.Unpooled;
import io.vertx.core.buffer.Buffer;

class PromptTokensTest {

    /** 12 tokens. */
    private static final String HELLO = "Hello, \\\"world\\\"! 今天天气\\u5f88好";

    @BeforeAll
    static void load() {
        TextTokens.awaitVocabulary();
    }

    private static long tokens(Dialect dialect, String model, String json) {
        var bytes = json.getBytes(StandardCharsets.UTF_8);
        var contiguous = Unpooled.wrappedBuffer(bytes);
        int half = bytes.length / 2;
        var parts = Unpooled.wrappedBuffer(Unpooled.copiedBuffer(bytes, 0, half),
                Unpooled.copiedBuffer(bytes, half, bytes.length - half));
        try {
            var array = new PromptTokens(dialect, contiguous);
            read(array, new JsonFactory().createParser(bytes));
            var stream = new PromptTokens(dialect, parts);
            read(stream, new JsonFactory().createParser((java.io.InputStream) new ByteBufInputStream(parts.duplicate())));
            assertThat(stream.tokens(model)).isEqualTo(array.tokens(model));
            return array.tokens(model);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static void read(PromptTokens prompt, JsonParser parser) throws IOException {
        for (var token = parser.nextToken(); token != null; token = parser.nextToken()) {
            prompt.accept(token, parser);
        }
    }

    private static long openAi(String json) {
        return tokens(Dialect.OPENAI, "gpt-4o", json);
    }

    private static long count(String text) {
        return TokenCounter.create().count(text.toCharArray(), 0, text.length());
    }

    @Test
    void textOfMessagesIsCounted() {
        long hello = count("Hello, \"world\"! 今天天气很好");
        assertThat(openAi("{\"model\":\"gpt-4o\",\"messages\":[]}")).isEqualTo(3);
        for (var space : new String[]{"", " ", "\n \t"}) {
            var body = "{\"model\":\"gpt-4o\",\"messages\":[{\"role\":\"user\",\"content\":\"" + HELLO + "\"" + space + "}"
                    + space
                    + "]}";
            assertThat(openAi(body)).isEqualTo(3 + 4 + hello);
            assertThat(openAi(body.replace("\"content\"", space + "\"content\"" + space).replace("]}",
                    "," + space + "{\"content\" :\"" + HELLO + "\"" + space + "," + space + "\"role\":\"user\"}]}")))
                    .isEqualTo(3 + 2 * (4 + hello));
        }
    }

    @Test
    void everyPlaceOfTextIsCounted() {
        long hello = count("Hello, \"world\"! 今天天气很好");
        var text = "\"" + HELLO + "\"";
        assertThat(openAi("{\"input\":" + text + ",\"instructions\":" + text + "}")).isEqualTo(2 * hello);
        assertThat(openAi("{\"input\":[" + text + "," + text + "]}")).isEqualTo(2 * hello);
        assertThat(openAi("{\"input\":[{\"type\":\"message\",\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":"
                + text + "}]},{\"type\":\"function_call_output\",\"call_id\":\"call_1\",\"output\":" + text + "}]}"))
                .isEqualTo(4 + 2 * hello);
        assertThat(openAi("{\"prompt\":" + text + "}")).isEqualTo(hello);
        assertThat(tokens(Dialect.ANTHROPIC, "claude-3-5-haiku-latest", "{\"system\":[{\"type\":\"text\",\"text\":" + text
                + ",\"cache_control\":{\"type\":\"ephemeral\"}}],\"messages\":[{\"role\":\"user\",\"content\":" + text
                + "}],\"max_tokens\":7}")).isEqualTo((long) Math.ceil(1.2 * (7 + 2 * hello)));
        assertThat(tokens(Dialect.GEMINI, "gemini-2.5-flash", "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":" + text
                + "},{\"text\":" + text + "}]}],\"systemInstruction\":{\"parts\":[{\"text\":" + text
                + "}]},\"generationConfig\":{\"maxOutputTokens\":100,\"stopSequences\":[" + text + "]}}")).isEqualTo(3 * hello);
        assertThat(tokens(Dialect.GEMINI, "", "{\"requests\":[{\"model\":\"models/x\",\"content\":{\"parts\":[{\"text\":" + text
                + "}]}}]}")).isEqualTo(hello);
        assertThat(openAi("{\"something_new\":{\"of\":[" + text + "]}}")).isEqualTo(hello);
    }

    @Test
    void promptOfTokensIsCounted() {
        assertThat(openAi("{\"input\":[[1,2,3],[40000,5]],\"dimensions\":256}")).isEqualTo(5);
    }

    @Test
    void parametersAreNotCounted() {
        assertThat(openAi("{\"model\":\"gpt-4o\",\"metadata\":{\"a\":\"long text here\"},\"user\":\"some user\","
                + "\"stop\":[\"stop here\"],\"stream_options\":{\"include_usage\":true},\"tool_choice\":\"auto\",\"n\":2}"))
                .isZero();
    }

    /** Tokens of the example in OpenAI's cookbook, as its API has counted them. */
    @Test
    void toolsCostWhatOpenAiHasPublished() {
        var body = "{\"model\":\"gpt-4o\",\"messages\":[{\"role\":\"system\",\"content\":\"You are a helpful assistant that can"
                + " answer to questions about the weather.\"},{\"role\":\"user\",\"content\":\"What's the weather like in San"
                + " Francisco?\"}],\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"get_current_weather\","
                + "\"description\":\"Get the current weather in a given location\",\"parameters\":{\"type\":\"object\","
                + "\"properties\":{\"location\":{\"type\":\"string\",\"description\":\"The city and state, e.g. San Francisco,"
                + " CA\"},\"unit\":{\"type\":\"string\",\"description\":\"The unit of temperature to return\",\"enum\":"
                + "[\"celsius\",\"fahrenheit\"]}},\"required\":[\"location\"]}}}]}";
        assertThat(openAi(body)).isCloseTo(101, withPercentage(5));
    }

    @Test
    void argumentsOfToolCallsAreCounted() {
        var json = "{\"city\":\"Paris\",\"days\":12345,\"deep\":{\"list\":[\"one\",\"two\",true]}}";
        long exact = count(json);
        assertThat(tokens(Dialect.GEMINI, "gemini-2.5-pro",
                "{\"contents\":[{\"role\":\"model\",\"parts\":[{\"functionCall\":{\"name\":\"f\",\"args\":" + json + "}}]}]}"))
                .isCloseTo(exact, withPercentage(30));
    }

    private static String base64(byte[] start, int length) {
        return Base64.getEncoder().encodeToString(java.util.Arrays.copyOf(start, length));
    }

    /** Returns the start of a PNG. */
    private static byte[] png(int width, int height) {
        var bytes = java.nio.ByteBuffer.allocate(64);
        bytes.put(new byte[]{(byte) 0x89, 'P', 'N', 'G', 13, 10, 26, 10, 0, 0, 0, 13, 'I', 'H', 'D', 'R'}).putInt(width)
                .putInt(height);
        return bytes.array();
    }

    private static String chatImage(String url, String detail) {
        return "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"" + url + "\""
                + detail
                + "}}]}]}";
    }

    /** Examples of OpenAI's page. */
    @Test
    void picturesOfOpenAiCostWhatIsPublished() {
        for (int bytes : new int[]{64, 200_000}) {
            var square = "data:image/png;base64," + base64(png(1024, 1024), bytes);
            var tall = "data:image/png;base64," + base64(png(2048, 4096), bytes);
            assertThat(openAi(chatImage(square, ""))).isEqualTo(7 + 765);
            assertThat(openAi(chatImage(square, ",\"detail\":\"high\""))).isEqualTo(7 + 765);
            assertThat(openAi(chatImage(tall, ""))).isEqualTo(7 + 1105);
            assertThat(openAi(chatImage(tall, ",\"detail\":\"low\""))).isEqualTo(7 + 85);
            assertThat(openAi(chatImage(tall, ",\"detail\":\"low\"").replace("{\"url\"", "{\"detail\":\"low\",\"url\"")))
                    .isEqualTo(7 + 85);
            assertThat(tokens(Dialect.OPENAI, "gpt-4.1-mini", chatImage(square, ""))).isEqualTo(7 + 1659); // 1024 × 1.62
            assertThat(openAi("{\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_image\",\"image_url\":\"" + square
                    + "\"},{\"type\":\"input_image\",\"image_url\":\"" + tall + "\",\"detail\":\"low\"}]}]}"))
                    .isEqualTo(4 + 765 + 85);
        }
        assertThat(openAi(chatImage("https://example.com/a.png", ""))).isEqualTo(7 + 765);
        assertThat(openAi("{\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_image\",\"file_id\":\"file-1\"}]}]}"))
                .isEqualTo(4 + 765);
    }

    private static String anthropicImage(String model, byte[] file) {
        return "{\"model\":\"" + model
                + "\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image\",\"source\":{\"type\":"
                + "\"base64\",\"media_type\":\"image/png\",\"data\":\"" + base64(file, 300_000) + "\"}}]}]}";
    }

    /** Examples of Anthropic's page. */
    @Test
    void picturesOfAnthropicCostWhatIsPublished() {
        long messages = (long) Math.ceil(1.2 * 7);
        assertThat(tokens(Dialect.ANTHROPIC, "claude-sonnet-4-5", anthropicImage("x", png(200, 200)))).isEqualTo(messages + 54);
        assertThat(tokens(Dialect.ANTHROPIC, "claude-sonnet-4-5", anthropicImage("x", png(1000, 1000))))
                .isEqualTo(messages + 1334);
        assertThat(tokens(Dialect.ANTHROPIC, "claude-sonnet-4-5", anthropicImage("x", png(1092, 1092))))
                .isEqualTo(messages + 1590);
        assertThat(tokens(Dialect.ANTHROPIC, "claude-sonnet-4-5", anthropicImage("x", png(8000, 6000))))
                .isEqualTo(messages + 1600);
        assertThat(tokens(Dialect.ANTHROPIC, "claude-opus-4-7", anthropicImage("x", png(8000, 6000))))
                .isEqualTo((long) Math.ceil(1.56 * 7) + 4784);
    }

    @Test
    void picturesOfGeminiCostWhatIsPublished() {
        var body = "{\"contents\":[{\"parts\":[{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"%s\"}}]}]}";
        assertThat(tokens(Dialect.GEMINI, "gemini-2.5-flash", String.format(body, base64(png(384, 384), 5000)))).isEqualTo(258);
        assertThat(tokens(Dialect.GEMINI, "gemini-2.5-flash", String.format(body, base64(png(1500, 700), 5000))))
                .isEqualTo(516);
        assertThat(tokens(Dialect.GEMINI, "gemini-3-pro", String.format(body, base64(png(1500, 700), 5000)))).isEqualTo(1120);
        assertThat(tokens(Dialect.GEMINI, "gemini-3-pro",
                "{\"contents\":[{\"parts\":[{\"fileData\":{\"mimeType\":\"image/png\",\"fileUri\":\"https://x/files/1\"}}]}]}"))
                .isEqualTo(1120);
    }

    @Test
    void documentsAreCountedByPages() {
        var pdf = ("%PDF-1.4\n1 0 obj <</Type /Pages /Count 3>> endobj " + "2 0 obj <</Type /Page>> endobj ".repeat(3))
                .getBytes(StandardCharsets.US_ASCII);
        var body = "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"document\",\"source\":{\"type\":\"base64\","
                + "\"media_type\":\"application/pdf\",\"data\":\"" + base64(pdf, pdf.length) + "\"}}]}]}";
        assertThat(tokens(Dialect.ANTHROPIC, "claude-sonnet-4-5", body)).isCloseTo(9 + 3 * 3000, withPercentage(2));
        var file = "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"file\",\"file\":{\"filename\":\"a.pdf\",\"file_data\":"
                + "\"data:application/pdf;base64," + base64(pdf, pdf.length) + "\"}}]}]}";
        assertThat(openAi(file)).isCloseTo(7 + 3 * 1500, withPercentage(2));
    }

    @Test
    void documentOfTextIsText() {
        var body = "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"document\",\"source\":{\"type\":\"text\","
                + "\"media_type\":\"text/plain\",\"data\":\"" + HELLO + "\"}}]}]}";
        assertThat(tokens(Dialect.ANTHROPIC, "claude-sonnet-4-5", body))
                .isEqualTo((long) Math.ceil(1.2 * (7 + count("Hello, \"world\"! 今天天气很好"))));
    }

    @Test
    void audioIsCountedBySeconds() {
        var wav = java.nio.ByteBuffer.allocate(44).order(java.nio.ByteOrder.LITTLE_ENDIAN);
        wav.put("RIFF".getBytes()).putInt(0).put("WAVEfmt ".getBytes()).putInt(16).putShort((short) 1).putShort((short) 1)
                .putInt(16_000).putInt(32_000).putShort((short) 2).putShort((short) 16);
        var body = "{\"contents\":[{\"parts\":[{\"inline_data\":{\"mime_type\":\"audio/wav\",\"data\":\""
                + base64(wav.array(), 320_000) + "\"}}]}]}";
        assertThat(tokens(Dialect.GEMINI, "gemini-2.5-flash", body)).isEqualTo(320);
        var chat = "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_audio\",\"input_audio\":{\"format\":\"wav\","
                + "\"data\":\"" + base64(wav.array(), 320_000) + "\"}}]}]}";
        assertThat(openAi(chat)).isEqualTo(7 + 100);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "AAAA", "not base64 at all", "iVBORw0KGgo=", "////", "/9j/", "JVBERi0=", "UklGRg=="})
    void brokenFileIsNoError(String data) {
        assertThat(openAi(chatImage("data:image/png;base64," + data, ""))).isLessThan(7 + 2000);
        assertThat(tokens(Dialect.ANTHROPIC, "", "{\"messages\":[{\"source\":{\"data\":\"" + data + "\"}}]}")).isLessThan(5000);
    }

    /** The parser accepts strings of any length, as long as nothing reads them. */
    @Test
    void longStringsAreNotReadByTheParser() {
        var text = "yes ".repeat(100_000);
        for (var field : new String[]{"detail", "role", "type", "content", "data", "name", "image_url"}) {
            for (var place : new String[]{"messages", "tools", "metadata"}) {
                if ("tools".equals(place) && "type".equals(field)) {
                    continue; // tells which tools have a model of their own
                }
                var body = "{\"" + place + "\":[{\"" + field + "\":\"" + text + "\",\"input\":{\"x\":\"" + text + "\"}}]}";
                var request = LlmRequestParser.parse(Provider.OPENAI,
                        ProviderOperation.of(Provider.OPENAI, "POST",
                                "/v1/chat/completions"),
                        Buffer.buffer(body));
                assertThat(request.estimatedInputTokens()).isLessThan(210_000);
            }
        }
    }

    @Test
    void deepNestingIsRead() {
        assertThat(openAi("{\"messages\":" + "[".repeat(900) + "\"one two\"" + "]".repeat(900) + "}")).isEqualTo(3 + 2);
    }
}
