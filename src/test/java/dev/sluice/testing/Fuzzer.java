package dev.sluice.testing;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;

/**
 * Generates malformed input by mutating valid input in a few places. All tests together run {@link #TRIES} tries; {@code
 * -Dsluice.fuzz.tries=1000000} runs more, {@code -Dsluice.fuzz.seed=…} others.
 */
public final class Fuzzer {

    public static final int TRIES = Integer.getInteger("sluice.fuzz.tries", 10_000);
    public static final long SEED = Long.getLong("sluice.fuzz.seed", 20261124);

    /** Marker contained in requests, which must never occur in a response. */
    public static final String MARKER = "mArKeR";

    private static final long SLOW_NANOS = 2_000_000_000L;
    /** A try that was slow is repeated: what an input causes occurs again, a pause of a loaded machine does not. */
    private static final int MAX_SLOW = 3;

    private static final List<String> WORDS = List.of("\r\n", "\n", "\r", "\0", "\t", " ", ":", ";", ",", "/", "//", "..",
            "%00",
            "%2f", "%ff", "%", "#", "?", "&", "=", "\"", "\\", "\\u", "\\ud800", "{", "}", "[", "]", "null", "true", "-1", "0",
            "1e999999", "99999999999999999999999", "0.1", "NaN", "data:", "data: [DONE]\n\n", "event: x\n", "\n\n", "\u00ff",
            "\u00c0\u0080", "\u00ed\u00a0\u0080", "\u00ef\u00bb\u00bf", "\u00f4\u0090\u0080\u0080", MARKER, "chunked", "gzip",
            "user:", "ip:", "*", "${x}", "<script>", "'", "usage", "model", "stream", "prompt_tokens", "unlimited", "blocked",
            "/minute", "1000000000");

    /** Test of one mutated input. */
    @FunctionalInterface
    public interface TestCase {

        void run(Random random) throws Exception;
    }

    private Fuzzer() {
    }

    /** @param share percentage of {@link #TRIES} */
    public static void run(int share, TestCase testCase) {
        long tries = Math.max(1, (long) TRIES * share / 100);
        for (long i = 0; i < tries; i++) {
            long seed = SEED * 1_000_003 + i;
            int slow = 0;
            boolean repeat;
            do {
                long start = System.nanoTime();
                try {
                    testCase.run(new Random(seed));
                } catch (Exception | Error e) {
                    throw new AssertionError("try " + i + " of seed " + SEED + " (-Dsluice.fuzz.seed)", e);
                }
                repeat = System.nanoTime() - start > SLOW_NANOS;
            } while (repeat && ++slow < MAX_SLOW);
            if (repeat) {
                throw new AssertionError("try " + i + " of seed " + SEED + " exceeded 2 s, " + MAX_SLOW + " times");
            }
        }
    }

    public static <T> T pick(Random random, List<T> values) {
        return values.get(random.nextInt(values.size()));
    }

    public static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    /** Returns a mutation of text in which each character stands for one byte. */
    public static String mutate(Random random, String valid) {
        return new String(mutate(random, bytes(valid)), StandardCharsets.ISO_8859_1);
    }

    /** Returns a mutation of the input with up to four changes; unchanged in one of eight cases. */
    public static byte[] mutate(Random random, byte[] valid) {
        var mutated = valid;
        for (int i = random.nextInt(8); i > 0; i -= 2) {
            mutated = mutateOnce(random, mutated);
        }
        return mutated;
    }

    private static byte[] mutateOnce(Random random, byte[] valid) {
        int from = valid.length == 0 ? 0 : random.nextInt(valid.length);
        int to = Math.min(valid.length, from + 1 + random.nextInt(12));
        return switch (random.nextInt(9)) {
            case 0 -> replace(valid, from, to, new byte[0]);
            case 1 -> Arrays.copyOf(valid, from);
            case 2 -> replace(valid, from, from, Arrays.copyOfRange(valid, from, to));
            case 3 -> {
                var flipped = valid.clone();
                if (flipped.length > 0) {
                    flipped[from] ^= 1 << random.nextInt(8);
                }
                yield flipped;
            }
            case 4 -> replace(valid, from, from, bytes(pick(random, WORDS).repeat(1 + random.nextInt(3))));
            case 5 -> replace(valid, from, to, bytes(pick(random, WORDS)));
            case 6 -> replace(valid, from, from, bytes(pick(random, WORDS).repeat(random.nextInt(4) == 0 ? 5000 : 60)));
            case 7 -> {
                var noise = new byte[1 + random.nextInt(16)];
                random.nextBytes(noise);
                yield replace(valid, from, to, noise);
            }
            default -> replace(valid, from, to, bytes(HexFormat.of().toHexDigits(random.nextLong())));
        };
    }

    private static byte[] replace(byte[] in, int from, int to, byte[] by) {
        var out = new ByteArrayOutputStream(in.length + by.length);
        out.write(in, 0, from);
        out.write(by, 0, by.length);
        out.write(in, to, in.length - to);
        return out.toByteArray();
    }

    /** Splits the bytes into pieces of random lengths. */
    public static List<byte[]> split(Random random, byte[] bytes) {
        var pieces = new java.util.ArrayList<byte[]>();
        for (int from = 0; from < bytes.length;) {
            int to = Math.min(bytes.length, from + 1 + random.nextInt(1 + random.nextInt(64)));
            pieces.add(Arrays.copyOfRange(bytes, from, to));
            from = to;
        }
        return pieces;
    }
}
