package dev.sluice.attack;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

import dev.sluice.testing.Instance;
import dev.sluice.testing.RawHttpConnection;

/**
 * A caller who has nothing to do with the attacks: it sends requests at a constant rate, alternately to both instances, and
 * verifies every decision. Not thread-safe.
 */
final class Bystander {

    static final int LIMIT = 1_000_000;

    private static final String ADDRESS = "127.0.0.99";
    private static final String REQUEST = "GET /bystander HTTP/1.1\r\nHost: sluice\r\n\r\n";
    private static final long INTERVAL_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

    /**
     * @param latencies of all requests in nanoseconds, ascending
     * @param defects what was wrong with decisions
     */
    record Result(long[] latencies, List<String> defects) {

        /** Returns the 99th percentile in nanoseconds. */
        long p99() {
            return latencies[(int) Math.ceil(0.99 * latencies.length) - 1];
        }
    }

    private final List<Instance> instances;
    private long sent;

    Bystander(List<Instance> instances) {
        this.instances = instances;
    }

    /**
     * Sends requests.
     *
     * @param minimum number of requests to send at least
     * @param ended whether no more than the minimum is needed
     */
    Result run(int minimum, BooleanSupplier ended) throws IOException {
        var latencies = new ArrayList<Long>();
        var defects = new ArrayList<String>();
        var connections = new ArrayList<RawHttpConnection>();
        try {
            for (var instance : instances) {
                connections.add(new RawHttpConnection(instance.port(), ADDRESS));
            }
            long next = System.nanoTime();
            for (int i = 0; i < minimum || !ended.getAsBoolean(); i++) {
                LockSupport.parkNanos(next - System.nanoTime());
                next = Math.max(next + INTERVAL_NANOS, System.nanoTime());
                var connection = connections.get(i % connections.size());
                long start = System.nanoTime();
                connection.send(REQUEST);
                var response = connection.readResponse();
                latencies.add(System.nanoTime() - start);
                sent++;
                var expected = Long.toString(LIMIT - sent);
                var mode = response.header("X-RateLimit-Mode");
                if (response.status() != 200 || mode != null || !expected.equals(response.header("X-RateLimit-Remaining"))) {
                    defects.add("request " + sent + ": status " + response.status() + ", mode " + mode + ", remaining "
                            + response.header("X-RateLimit-Remaining") + " instead of " + expected);
                }
            }
        } finally {
            for (var connection : connections) {
                connection.close();
            }
        }
        var sorted = latencies.stream().mapToLong(Long::longValue).toArray();
        Arrays.sort(sorted);
        return new Result(sorted, defects);
    }
}
