package dev.sluice.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

import dev.sluice.store.redis.SingleDecision;

/** Runs {@code redis-benchmark}, the load generator of Redis, if it is installed. */
final class RedisBenchmark {

    /** Placeholder that redis-benchmark replaces by a random number of twelve digits. */
    private static final String RANDOM_PLACEHOLDER = "__rand_int__";
    private static final int DIGITS = 12;
    private static final int INITIAL_REQUESTS_PER_SECOND = 200_000;

    private final String executable;
    private double perSecond = INITIAL_REQUESTS_PER_SECOND;

    private RedisBenchmark(String executable) {
        this.executable = executable;
    }

    /** Returns null if it is not installed. */
    static RedisBenchmark find() {
        var executable = BenchmarkSettings.REDIS_BENCHMARK.isEmpty() ? "redis-benchmark" : BenchmarkSettings.REDIS_BENCHMARK;
        var found = new RedisBenchmark(executable);
        return found.version().isEmpty() ? null : found;
    }

    String version() {
        try {
            return output(List.of(executable, "--version")).strip();
        } catch (UncheckedIOException e) {
            return "";
        }
    }

    /** Returns decisions per second, for random identities. */
    double run(int port, SingleDecision decision, int identities, double seconds) {
        var command = new ArrayList<>(
                List.of(executable, "-h", "127.0.0.1", "-p", Integer.toString(port), "-c", "32", "-P", "16",
                        "-r", Integer.toString(identities), "-n", Long.toString((long) (perSecond * seconds)), "--csv"));
        var placeholder = "u".repeat(DIGITS);
        decision.command(placeholder, 1).forEach(word -> command.add(word.replace(placeholder, RANDOM_PLACEHOLDER)));
        var lines = output(command).strip().split("\n");
        var fields = lines[lines.length - 1].split("\",\"");
        // "EVALSHA …","239000.00",…: the command itself contains no quotes
        perSecond = Double.parseDouble(fields[1].replace("\"", ""));
        return perSecond;
    }

    private static String output(List<String> command) {
        try {
            var process = new ProcessBuilder(command).redirectErrorStream(true).start();
            process.getOutputStream().close();
            return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
