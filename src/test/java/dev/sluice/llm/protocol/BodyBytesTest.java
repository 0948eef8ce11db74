package dev.sluice.llm.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;

import org.junit.jupiter.api.Test;

import dev.sluice.llm.protocol.ProviderOperation.Kind;
import dev.sluice.llm.protocol.ProviderOperation.Shape;
import dev.sluice.llm.protocol.json.BodyBytes;
import dev.sluice.testing.Fuzzer;
import dev.sluice.testing.JdkUtf8;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.vertx.core.buffer.Buffer;

/** {@link BodyBytes} of bodies in several arrays, compared with the decoder of the JDK and with the same body in one array. */
class BodyBytesTest {

    private static final ProviderOperation CHAT = new ProviderOperation(Kind.CALL, Shape.CHAT, "", false);
    private static final byte[] PIECES = "aé€\uD83D\uDE00\uFFFF\u07FF\uDBFF\uDFFF".getBytes(StandardCharsets.UTF_8);

    @SuppressWarnings("deprecation")
    private static Buffer split(Random random, byte[] bytes) {
        var parts = new ByteBuf[1 + random.nextInt(6)];
        int from = 0;
        for (int i = 0; i < parts.length; i++) {
            int to = i == parts.length - 1 ? bytes.length : from + random.nextInt(bytes.length - from + 1);
            parts[i] = Unpooled.wrappedBuffer(Arrays.copyOfRange(bytes, from, to));
            from = to;
        }
        return Buffer.buffer(Unpooled.wrappedBuffer(parts.length, parts));
    }

    @Test
    void validatesCharactersAcrossArrays() {
        Fuzzer.run(100, random -> {
            var bytes = new byte[random.nextInt(12)];
            for (int i = 0; i < bytes.length;) {
                var part = random.nextInt(5) == 0
                        ? new byte[]{(byte) random.nextInt()}
                        : Arrays.copyOfRange(PIECES, random.nextInt(PIECES.length), PIECES.length);
                int length = Math.min(part.length, bytes.length - i);
                System.arraycopy(part, 0, bytes, i, length);
                i += length;
            }
            assertThat(BodyBytes.of(split(random, bytes)).isUtf8()).as(HexFormat.of().formatHex(bytes))
                    .isEqualTo(JdkUtf8.decodes(bytes));
        });
        for (int part = 1; part < PIECES.length; part++) {
            var both = Unpooled.wrappedBuffer(2, Unpooled.wrappedBuffer(PIECES, 0, part),
                    Unpooled.wrappedBuffer(PIECES, part, PIECES.length - part));
            assertThat(new BodyBytes(both).isUtf8()).isTrue();
        }
    }

    @Test
    void parsesAndChangesBodiesInSeveralArrays() {
        var text = "{\"model\":\"gpt-4o\",\"é\":\"" + "€".repeat(5000) + "\",\"stream\":true,\"stream_options\":{\"x\":1}}";
        Fuzzer.run(2, random -> {
            var request = LlmRequestParser.parse(Provider.OPENAI, CHAT, split(random, text.getBytes(StandardCharsets.UTF_8)));
            assertThat(request.model()).isEqualTo("gpt-4o");
            assertThat(request.body().toString()).isEqualTo(text);
            assertThat(request.bodyWithUsage().toString())
                    .isEqualTo(text.replace("{\"x\"", "{\"include_usage\":true,\"x\""));
        });
    }
}
