package dev.sluice.service.llm.body;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.testing.Fuzzer;
import dev.sluice.testing.llm.CompressedBodies;
import io.vertx.core.buffer.Buffer;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;

/** {@link ContentCodings} against the encoders. */
class ContentCodingsTest {

    private static final int MAX = 1 << 20;
    private static final List<String> CODINGS = List.of("gzip", "deflate", "raw-deflate", "br", "zstd");
    private static final Map<byte[], String> REFERENCES = Map.of(CompressedBodies.CHAT_BROTLI_11, "br",
            CompressedBodies.CHAT_BROTLI_5, "br", CompressedBodies.CHAT_ZSTD_19, "zstd", CompressedBodies.CHAT_ZSTD_1, "zstd");

    private final HeldBytes heldBytes = new HeldBytes(Long.MAX_VALUE);

    private byte[] decode(String header, byte[] encoded) {
        return decode(header, encoded, MAX);
    }

    private byte[] decode(String header, byte[] encoded, int max) {
        var held = heldBytes.newShare();
        try {
            var body = new BodyAccumulator(held, -1);
            body.append(Buffer.buffer(encoded));
            var decoded = ContentCodings.parse(List.of(header.replace("raw-", ""))).decode(body, held, max).toBuffer();
            assertThat(heldBytes.total()).isBetween((long) decoded.length(), 2L * decoded.length() + 4096);
            return decoded.getBytes();
        } finally {
            held.clear();
            assertThat(heldBytes.total()).isZero();
        }
    }

    private void assertRejected(int status, String header, byte[] encoded) {
        assertThatThrownBy(() -> decode(header, encoded)).as("%s", header)
                .asInstanceOf(type(BodyRejectedException.class)).returns(status, BodyRejectedException::status);
    }

    private static byte[] repeated(byte[] bytes, int count) {
        var all = new ByteArrayOutputStream();
        for (int i = 0; i < count; i++) {
            all.writeBytes(bytes);
        }
        return all.toByteArray();
    }

    @Property(tries = 200)
    void decodesWhatWasEncoded(@ForAll @Size(max = 300) byte[] body, @ForAll Random random) {
        var large = repeated(body, 1 + random.nextInt(1000));
        for (var coding : CODINGS) {
            assertThat(decode(coding, CompressedBodies.encode(coding, large))).as(coding).isEqualTo(large);
        }
    }

    @Test
    void decodesWhatReferenceImplementationsEncode() {
        REFERENCES.forEach((encoded, coding) -> assertThat(decode(coding, encoded)).isEqualTo(CompressedBodies.chat()));
        assertThat(decode("br", new byte[]{'?'})).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"gzip", "GZIP", "x-gzip", " gzip ,", "identity, gzip", ",gzip,identity"})
    void readsNamesAsHttpDefinesThem(String header) {
        assertThat(decode(header, CompressedBodies.encode("gzip", CompressedBodies.chat()))).isEqualTo(CompressedBodies.chat());
    }

    @Test
    void decodesSeveralCodingsInReverse() {
        for (var first : CODINGS) {
            for (var second : CODINGS) {
                var encoded = CompressedBodies.encode("gzip", CompressedBodies.encode(second,
                        CompressedBodies.encode(first, CompressedBodies.chat())));
                assertThat(decode(first + ", " + second + ",gzip", encoded)).as("%s %s", first, second)
                        .isEqualTo(CompressedBodies.chat());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"compress", "gzip, compress", "br2", "*", "gzip;q=1", "gzip gzip", "gzip,gzip,gzip,gzip",
            "zst\u0000d"})
    void rejectsUnknownCodings(String header) {
        assertThatThrownBy(() -> ContentCodings.parse(List.of(header))).asInstanceOf(type(BodyRejectedException.class))
                .returns(415, BodyRejectedException::status)
                .extracting(Throwable::getMessage).asString().contains("content-encoding");
    }

    @Test
    void rejectsEveryTruncation() {
        REFERENCES.forEach((encoded, coding) -> assertTruncationsRejected(coding, encoded));
        for (var coding : CODINGS) {
            assertTruncationsRejected(coding, CompressedBodies.encode(coding, CompressedBodies.chat()));
        }
    }

    private void assertTruncationsRejected(String coding, byte[] encoded) {
        for (int length = 0; length < encoded.length; length++) {
            assertRejected(400, coding, Arrays.copyOf(encoded, length));
        }
    }

    @Test
    void rejectsDataAfterTheEnd() {
        for (var coding : CODINGS) {
            var encoded = CompressedBodies.encode(coding, CompressedBodies.chat());
            int tolerated = coding.equals("zstd") ? 3 : 0; // its decoder asks for four bytes before it looks at them
            for (int more : new int[]{1 + tolerated, 7, 100, 5000, 20_000}) {
                var longer = Arrays.copyOf(encoded, encoded.length + more);
                Arrays.fill(longer, encoded.length, longer.length, (byte) 'x');
                assertRejected(400, coding, longer);
            }
        }
    }

    @Test
    void rejectsWrongChecksums() {
        for (var coding : List.of("gzip", "deflate", "zstd")) {
            var encoded = CompressedBodies.encode(coding, CompressedBodies.chat());
            encoded[encoded.length - (coding.equals("gzip") ? 5 : 1)] ^= 1;
            assertRejected(400, coding, encoded);
        }
    }

    @Test
    void decodesSeveralMembers() {
        var both = repeated(CompressedBodies.encode("gzip", CompressedBodies.chat()), 2);
        assertThat(decode("gzip", both)).isEqualTo(repeated(CompressedBodies.chat(), 2));
        var frames = repeated(CompressedBodies.CHAT_ZSTD_19, 2);
        assertThat(decode("zstd", frames)).isEqualTo(repeated(CompressedBodies.chat(), 2));
    }

    @Test
    void stopsBombsAtTheLimit() {
        var zeros = new byte[64 << 20];
        for (var coding : List.of("gzip", "deflate", "raw-deflate", "zstd")) {
            var bomb = CompressedBodies.encode(coding, zeros);
            assertRejected(413, coding, bomb);
            assertRejected(413, coding + ", gzip", CompressedBodies.encode("gzip", bomb));
        }
        assertRejected(413, "br", CompressedBodies.BOMB_BROTLI);
        var limit = new byte[MAX];
        for (var coding : CODINGS) {
            assertThat(decode(coding, CompressedBodies.encode(coding, limit))).hasSize(MAX);
            assertRejected(413, coding, CompressedBodies.encode(coding, new byte[MAX + 1]));
        }
    }

    @Test
    void limitsTheStagesBetweenCodings() {
        var empty = CompressedBodies.encode("gzip", new byte[0]);
        var members = repeated(empty, 2 * MAX / empty.length);
        assertThat(decode("gzip", Arrays.copyOf(members, empty.length * 100))).isEmpty();
        assertRejected(413, "gzip, gzip", CompressedBodies.encode("gzip", members));
    }

    @Test
    void rejectsBodiesForWhichThereIsNoMemory() {
        var bounded = new HeldBytes(100_000);
        var other = bounded.newShare();
        other.add(10);
        var held = bounded.newShare();
        var body = new BodyAccumulator(held, -1);
        body.append(Buffer.buffer(CompressedBodies.encode("gzip", new byte[MAX])));
        assertThatThrownBy(() -> ContentCodings.parse(List.of("gzip")).decode(body, held, MAX))
                .asInstanceOf(type(BodyRejectedException.class)).returns(503, BodyRejectedException::status);
        held.clear();
        assertThat(bounded.total()).isEqualTo(10);
    }

    @Test
    void brokenDataIsDecodedOrRejected() {
        var samples = new ArrayList<>(REFERENCES.entrySet());
        for (var coding : CODINGS) {
            samples.add(Map.entry(CompressedBodies.encode(coding, CompressedBodies.chat()), coding));
        }
        Fuzzer.run(100, random -> {
            var sample = Fuzzer.pick(random, samples);
            var broken = sample.getKey().clone();
            for (int i = 1 + random.nextInt(4); i > 0; i--) {
                broken[random.nextInt(random.nextBoolean() ? Math.min(32, broken.length) : broken.length)] = (byte) random
                        .nextInt();
            }
            var failure = catchThrowable(() -> decode(sample.getValue(), broken));
            if (failure != null) {
                assertThat(failure).isInstanceOf(BodyRejectedException.class);
                assertThat(((BodyRejectedException) failure).status()).isIn(400, 413);
            }
        });
    }
}
