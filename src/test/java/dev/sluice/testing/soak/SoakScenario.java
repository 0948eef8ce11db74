package dev.sluice.testing.soak;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;

import org.assertj.core.api.SoftAssertions;
import org.awaitility.Awaitility;

import dev.sluice.testing.Instance;
import dev.sluice.testing.RawUpstream;
import dev.sluice.testing.wire.Wire;

/**
 * Runs the packaged service with a small heap between hostile clients and a hostile upstream. Afterwards its connections, memory,
 * threads and files are as they were after the first tenth, and its log reports no defect.
 */
public final class SoakScenario implements AutoCloseable {

    private static final int CLIENTS_PER_VERSION = 6;
    private static final int WEB_SOCKET_CLIENTS = 8;
    /** Fewer than there are WebSockets and event streams: the others count as requests. */
    private static final String MAX_STREAMS = "4";
    /** Few, so that connections that are counted for ever soon leave none. */
    private static final String MAX_CLIENTS = "200";
    private static final double MAX_HEAP_GROWTH = 1.2;
    /** Compiled code, and arenas of the allocator. The heap is resident from the start. */
    private static final long MAX_MORE_RESIDENT_KILOBYTES = 48 << 10;
    /** Threads of pools that start when they are first needed. */
    private static final int MAX_MORE_THREADS = 4;
    /** Sockets of the requests for metrics. */
    private static final int MAX_MORE_FILES = 4;
    private static final Duration QUIET_WITHIN = Duration.ofSeconds(60);
    private static final Path REPORT = Path.of("target", "soak.md");
    private static final Pattern IN_USE = Pattern.compile("(?m)^rate_limit_upstream_connections\\{.*} (\\S+)$");

    private final int seconds;
    private final long seed;
    private final RawUpstream upstream = new RawUpstream();
    private final SoakRecord results = new SoakRecord();
    private final AtomicLong numbers = new AtomicLong();
    private final Instance instance;

    /** @param seed decides all that is random */
    public SoakScenario(int seconds, long seed) {
        this.seconds = seconds;
        this.seed = seed;
        instance = Instance.startWithHeap("256m", Map.of("REDIS_ENABLED", "false", "RATE_LIMIT_DEFAULT", "unlimited",
                "UPSTREAM_URL", "http://127.0.0.1:" + upstream.port(), "RATE_LIMIT_UPSTREAM_MAX_CONNECTIONS", "64",
                "RATE_LIMIT_UPSTREAM_MAX_STREAMS", MAX_STREAMS, "RATE_LIMIT_UPSTREAM_TIMEOUT", "5s",
                "RATE_LIMIT_UPSTREAM_IDLE_TIMEOUT", "5s", "RATE_LIMIT_UPSTREAM_WEBSOCKET_IDLE_TIMEOUT", "5s",
                "QUARKUS_HTTP_LIMITS_MAX_CONNECTIONS", MAX_CLIENTS));
    }

    /** Runs the soak, writes {@code target/soak.md} and verifies the results. */
    public void run() throws Exception {
        System.out.println("Soak of " + seconds + " s with -Dsluice.soak.seed=" + seed);
        ProcessUsage before = null;
        ProcessUsage after = null;
        try {
            load(Math.max(1, seconds / 10));
            awaitQuiet();
            before = ProcessUsage.of(instance);
            load(seconds - seconds / 10);
            awaitQuiet();
            after = ProcessUsage.of(instance);
        } finally {
            report(before, after);
        }
        verify(before, after);
    }

    private void load(int forSeconds) throws InterruptedException {
        var hostile = HostileBehavior.script(seed);
        var webSockets = HostileWebSocket.script(seed, results);
        upstream.otherwise(exchange -> {
            if (exchange.path().startsWith("/hostile/")) {
                hostile.respond(exchange);
            } else if (exchange.path().startsWith(HostileWebSocket.PATH)) {
                webSockets.respond(exchange);
            } else {
                RawUpstream.echo(exchange);
            }
        });
        long deadline = System.nanoTime() + Duration.ofSeconds(forSeconds).toNanos();
        var threads = new ArrayList<Thread>();
        for (var wire : Wire.values()) {
            for (int i = 0; i < CLIENTS_PER_VERSION; i++) {
                var client = new HostileClient(instance.port(), wire, seed, numbers, deadline, results);
                threads.add(new Thread(client, "client " + wire + ' ' + i));
            }
        }
        for (int i = 0; i < WEB_SOCKET_CLIENTS; i++) {
            var client = new HostileWebSocketClient(instance.port(), seed, numbers, deadline, results);
            threads.add(new Thread(client, "client of WebSockets " + i));
        }
        threads.forEach(Thread::start);
        for (var thread : threads) {
            thread.join();
        }
        upstream.clear();
    }

    /** Waits until all requests have ended and the keep-alive timeout has closed all connections to the upstream. */
    private void awaitQuiet() {
        Awaitility.await("requests at the upstream to end").atMost(QUIET_WITHIN).until(() -> upstream.inProgress() == 0);
        Awaitility.await("connections to the upstream to be closed").atMost(QUIET_WITHIN)
                .until(() -> upstream.openConnections() == 0);
        Awaitility.await("metrics of connections to be 0").atMost(QUIET_WITHIN).untilAsserted(
                () -> assertThat(IN_USE.matcher(ProcessUsage.metrics(instance)).results().map(match -> match.group(1)))
                        .isNotEmpty().containsOnly("0.0"));
    }

    /** Writes what is known; the second measurement is missing if connections were not closed. */
    private void report(ProcessUsage before, ProcessUsage after) throws IOException {
        var report = "# Soak\n\n" + seconds + " s, seed " + seed + ", " + numbers + " hostile and " + results.ordinaryRequests()
                + " ordinary requests; open connections at the upstream: " + upstream.openConnections()
                + "\n\n| | heap after GC, KB | resident memory, KB | threads | open files |\n|---|---|---|---|---|\n"
                + row("after the first tenth", before) + row("at the end", after) + '\n' + results.table() + '\n'
                + String.join("\n", results.failures()) + '\n';
        Files.createDirectories(REPORT.getParent());
        Files.writeString(REPORT, report);
        System.out.println(report);
    }

    private static String row(String name, ProcessUsage usage) {
        return usage == null
                ? ""
                : "| " + name + " | " + (usage.heapBytes() >> 10) + " | " + usage.residentKilobytes() + " | " + usage.threads()
                        + " | " + usage.openFiles() + " |\n";
    }

    private void verify(ProcessUsage before, ProcessUsage after) {
        var defects = instance.log().lines().filter(
                line -> line.contains(" ERROR ") || line.startsWith("\tat ") || line.startsWith("Caused by:")).limit(30)
                .toList();
        var soft = new SoftAssertions();
        soft.assertThat(results.failures()).as("wrong responses").isEmpty();
        soft.assertThat(results.ordinaryRequests()).as("ordinary requests").isPositive();
        soft.assertThat(defects).as("errors and stack traces in the log").isEmpty();
        soft.assertThat((double) after.heapBytes()).as("heap after GC")
                .isLessThanOrEqualTo(MAX_HEAP_GROWTH * before.heapBytes());
        soft.assertThat(after.residentKilobytes()).as("resident memory in KB")
                .isLessThanOrEqualTo(before.residentKilobytes() + MAX_MORE_RESIDENT_KILOBYTES);
        soft.assertThat(after.threads()).as("threads").isLessThanOrEqualTo(before.threads() + MAX_MORE_THREADS);
        soft.assertThat(after.openFiles()).as("open files").isLessThanOrEqualTo(before.openFiles() + MAX_MORE_FILES);
        soft.assertAll();
    }

    @Override
    public void close() {
        instance.close();
        upstream.close();
    }
}
