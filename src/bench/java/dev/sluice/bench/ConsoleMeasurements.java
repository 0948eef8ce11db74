package dev.sluice.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import dev.sluice.testing.Instance;

/** Measures what open consoles cost the decisions of an instance. */
final class ConsoleMeasurements {

    private static final String ADMIN_TOKEN = "benchmark";
    private static final int CONSOLES = 100;
    private static final int TIMEOUT_MILLIS = 10_000;
    private static final byte[] REQUEST = ("GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + ADMIN_TOKEN
            + "\r\n\r\n").getBytes(StandardCharsets.US_ASCII);

    private ConsoleMeasurements() {
    }

    /** Compares checks beside open consoles, which all read the live figures, with checks alone. */
    static List<BenchmarkResult> consoles(BenchmarkEnvironment environment) {
        var instance = environment.instance("consoles", BenchmarkSettings.SERVICE,
                Map.of("RATE_LIMIT_ADMIN_TOKEN", ADMIN_TOKEN));
        var checks = new Contender(BenchmarkEnvironment.target(instance, CheckMeasurements.checks("console", 1000, 60)),
                () -> environment.cpuMicros(instance), true, 200);
        environment.warmUp(checks.target());
        var comparison = PairedMeasurement.measure(seconds -> beside(instance, () -> checks.run(environment, seconds)),
                seconds -> checks.run(environment, seconds));
        return List.of(
                comparison.ratio("consoles", "Checks beside " + CONSOLES + " open consoles against checks alone",
                        Contender.Run::perSecond).atLeast(0.95),
                comparison.ratio("consoles", "The same, CPU time per check",
                        run -> run.serverMicros() + run.redisMicros()).withUnits("", "µs").atMost(1.05));
    }

    private interface Load {

        Contender.Run run();
    }

    /** Runs a load while consoles read events, of which each has received one before. */
    private static Contender.Run beside(Instance instance, Load load) {
        var consoles = new ArrayList<Socket>();
        try {
            for (int i = 0; i < CONSOLES; i++) {
                var console = new Socket(InetAddress.getLoopbackAddress(), instance.port());
                consoles.add(console);
                console.setSoTimeout(TIMEOUT_MILLIS);
                console.getOutputStream().write(REQUEST);
            }
            for (var console : consoles) {
                if (!read(console).startsWith("HTTP/1.1 200")) {
                    throw new IllegalStateException("no event stream");
                }
            }
            var run = load.run();
            for (var console : consoles) {
                read(console); // fails if it has received nothing meanwhile
            }
            return run;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            consoles.forEach(ConsoleMeasurements::close);
        }
    }

    /** Reads what a console has received; waits for it if there is nothing yet. */
    private static String read(Socket console) throws IOException {
        var buffer = new byte[64 * 1024];
        int length = console.getInputStream().read(buffer);
        if (length < 0) {
            throw new IOException("event stream closed");
        }
        return new String(buffer, 0, length, StandardCharsets.UTF_8);
    }

    private static void close(Socket console) {
        try {
            console.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
