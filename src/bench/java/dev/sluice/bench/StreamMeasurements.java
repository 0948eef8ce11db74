package dev.sluice.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleSupplier;

import org.HdrHistogram.Histogram;

/** Measures the LLM gateway with streamed completions. */
final class StreamMeasurements {

    private static final double STREAMS_PER_SECOND = 40;
    private static final int EVENTS = 20;
    private static final int WARM_UP_CONNECTIONS = 16;
    private static final int FIRST_BYTE_CONNECTIONS = 256;
    private static final int OPEN_STREAMS = 1000;
    /** Time until the load of beginning the streams is over. */
    private static final double SETTLE_SECONDS = 1;
    private static final String STREAM = ",\"stream\":true";
    private static final String PROVIDER_PATH = "/v1/chat/completions";

    /**
     * @param micros CPU time per event
     * @param perSecond events per second of all streams together
     */
    private record Cost(double micros, double perSecond) {
    }

    private StreamMeasurements() {
    }

    private static List<byte[]> gatewayRequests() {
        return LlmGatewayMeasurements.chatRequests("/openai/v1/chat/completions", "", STREAM);
    }

    private static List<byte[]> providerRequests() {
        return LlmGatewayMeasurements.chatRequests(PROVIDER_PATH, "", STREAM);
    }

    /** Loads a server with streams of one event, so that it is as warm as those of other rows. */
    private static void warmUp(HttpLoad.Target target) {
        try (var load = new StreamLoad(new HttpLoad.Target(target.ports(), WARM_UP_CONNECTIONS, target.requests()))) {
            load.closedLoop(2 * BenchmarkSettings.WARMUP);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Measures the time to the first event that the gateway adds. */
    static List<BenchmarkResult> firstByte(BenchmarkEnvironment environment) {
        try (var stub = new EventStreamStub()) {
            var instance = LlmGatewayMeasurements.llmGateway(environment, "first byte", stub.port());
            var through = new HttpLoad.Target(instance.port(), FIRST_BYTE_CONNECTIONS, gatewayRequests());
            var direct = new HttpLoad.Target(stub.port(), FIRST_BYTE_CONNECTIONS, providerRequests());
            warmUp(through);
            warmUp(direct);
            stub.setEvents(EVENTS);
            var comparison = PairedMeasurement.measure(seconds -> firstBytes(environment, through, seconds),
                    seconds -> firstBytes(environment, direct, seconds));
            Profiler.profile("first-byte", environment.pid(instance), seconds -> firstBytes(environment, through, seconds));
            environment.stop("first byte");
            var note = String.format(Locale.ROOT, "open loop at %.0f/s, streams of %d events, %d events/s each",
                    STREAMS_PER_SECOND, EVENTS, EventStreamStub.EVENTS_PER_SECOND);
            var cpu = environment.loaderCpu();
            return List.of(
                    addedMillis(comparison, "LLM gateway, streaming: added time to the first byte, p50", 50).atMost(0.3)
                            .withNote(note).withNote(cpu),
                    addedMillis(comparison, "the same, p99", 99).withNote(note));
        }
    }

    private static Histogram firstBytes(BenchmarkEnvironment environment, HttpLoad.Target target, double seconds) {
        try (var load = new StreamLoad(target)) {
            var times = load.firstBytes(seconds, STREAMS_PER_SECOND);
            environment.recordLoaderCpu(load.cpu());
            return times;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static BenchmarkResult addedMillis(PairedMeasurement<Histogram> comparison, String description, double percentile) {
        return comparison.difference("first-byte", description, times -> times.getValueAtPercentile(percentile) / 1e6)
                .withUnits("ms", "ms");
    }

    /** Measures the CPU time of many concurrent streams. */
    static List<BenchmarkResult> openStreams(BenchmarkEnvironment environment) {
        try (var stub = new EventStreamStub(); var hop = HopServer.start(stub.port())) {
            var instance = LlmGatewayMeasurements.llmGateway(environment, "streams", stub.port());
            var through = new HttpLoad.Target(instance.port(), OPEN_STREAMS, gatewayRequests());
            var bare = new HttpLoad.Target(hop.port(), OPEN_STREAMS, providerRequests());
            warmUp(through);
            warmUp(bare);
            stub.setEvents(EventStreamStub.UNLIMITED);
            DoubleSupplier cpu = () -> environment.cpuMicros(instance);
            var comparison = PairedMeasurement.measure(seconds -> cost(environment, stub, through, seconds, cpu),
                    seconds -> cost(environment, stub, bare, seconds, hop::cpuMicros));
            Profiler.profile("streams", environment.pid(instance),
                    seconds -> cost(environment, stub, through, seconds, cpu));
            environment.stop("streams");
            return List.of(comparison
                    .ratio("streams", "LLM gateway, 1,000 open streams: CPU time against a bare Vert.x hop", Cost::micros)
                    .withUnits("", "µs per event").atMost(1.5)
                    .withNote(String.format(Locale.ROOT, "%d events/s each; read %.0f and %.0f/s",
                            EventStreamStub.EVENTS_PER_SECOND, perSecond(comparison.first()),
                            perSecond(comparison.second())))
                    .withNote(environment.loaderCpu()));
        }
    }

    private static double perSecond(List<Cost> costs) {
        return BenchmarkResult.median(costs.stream().map(Cost::perSecond).toList());
    }

    private static Cost cost(BenchmarkEnvironment environment, EventStreamStub stub, HttpLoad.Target target,
            double seconds, DoubleSupplier cpuMicros) {
        try (var load = new StreamLoad(target)) {
            load.startAll();
            load.read(SETTLE_SECONDS);
            double before = cpuMicros.getAsDouble();
            long begin = System.nanoTime();
            long events = load.read(seconds);
            double elapsed = (System.nanoTime() - begin) / 1e9;
            double micros = cpuMicros.getAsDouble() - before;
            environment.recordLoaderCpu(load.cpu());
            stub.endStreams();
            load.awaitEnd();
            return new Cost(micros / events, events / elapsed);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
