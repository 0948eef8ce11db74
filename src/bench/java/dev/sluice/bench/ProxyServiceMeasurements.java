package dev.sluice.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

import dev.sluice.service.grpc.proto.DescriptorProto.RateLimitDescriptor;
import dev.sluice.service.grpc.proto.RlsProto.RateLimitRequest;
import dev.sluice.testing.FreePorts;
import dev.sluice.testing.Instance;

/** Measures what proxies ask: Envoy's rate limit service against envoyproxy/ratelimit, and forward authentication. */
final class ProxyServiceMeasurements {

    private static final Map<String, Integer> GRPC_PORTS = new HashMap<>();

    private ProxyServiceMeasurements() {
    }

    /** Returns a request for one unit of each identity. */
    private static List<byte[]> requests(String key) {
        return IntStream.range(0, BenchmarkEnvironment.IDENTITIES)
                .mapToObj(i -> RateLimitRequest.newBuilder().setDomain("bench")
                        .addDescriptors(RateLimitDescriptor.newBuilder()
                                .addEntries(RateLimitDescriptor.Entry.newBuilder().setKey(key).setValue("rls" + i)))
                        .build().toByteArray())
                .toList();
    }

    private static HttpLoad.Target target(int port, String key) {
        return new HttpLoad.Target(List.of(port), BenchmarkEnvironment.CONNECTIONS, requests(key), GrpcConnection::new);
    }

    private static Contender sluice(BenchmarkEnvironment environment, String key, int status) {
        int port = GRPC_PORTS.computeIfAbsent("rls", name -> FreePorts.next());
        var instance = environment.instance("rls", BenchmarkSettings.SERVICE,
                Map.of("RATE_LIMIT_GRPC_PORT", Integer.toString(port), "RATE_LIMIT_ENVOY_CONFIG", configuration()));
        return new Contender(target(port, key), () -> environment.cpuMicros(instance), true, status);
    }

    /** Returns the path of the configuration, which both sides have. */
    private static String configuration() {
        try (var resource = ProxyServiceMeasurements.class.getResourceAsStream("ratelimit.yaml")) {
            var file = BenchmarkSettings.OUTPUT.resolve("rls.yaml").toAbsolutePath();
            Files.createDirectories(file.getParent());
            return Files.write(file, resource.readAllBytes()).toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Compares throughput where all is allowed, and latency at half of the other side's throughput. */
    static List<BenchmarkResult> allowed(BenchmarkEnvironment environment) {
        var description = "Envoy's rate limit service, all allowed, against envoyproxy/ratelimit";
        var missing = Peer.missing(Peer.RATELIMIT);
        if (missing.isPresent()) {
            return List.of(BenchmarkResult.notMeasured("rls", description, missing.get()));
        }
        try (var peer = PeerServers.rateLimit(environment.redis().port(), 0)) {
            var ours = sluice(environment, "user", 200);
            var theirs = new Contender(target(peer.port(), "user"), peer::cpuMicros, true, 200);
            var figures = new ArrayList<BenchmarkResult>();
            figures.add(Contender.ratio(environment, "rls", description, ours, theirs).atLeast(2)
                    .withNote("1000/minute, 10,000 keys, 64 connections, one Redis"));
            double half = theirs.run(environment, BenchmarkSettings.SECONDS).perSecond() / 2;
            var latency = PairedMeasurement.measure(seconds -> open(environment, ours, seconds, half),
                    seconds -> open(environment, theirs, seconds, half));
            figures.add(latency.ratio("rls", "the same, p99 at half of that throughput of the other side",
                    outcome -> outcome.micros(99)).withUnits("", "µs").atMost(1)
                    .withNote(String.format("open loop at %.0f/s", half)));
            return figures;
        }
    }

    private static HttpLoad.Outcome open(BenchmarkEnvironment environment, Contender contender, double seconds, double rate) {
        return environment.recordLoaderCpu(HttpLoad.open(contender.target(), seconds, rate).expecting(contender.status()));
    }

    /** Compares throughput where all is denied. The other side has its local cache of denials, which is off by default. */
    static List<BenchmarkResult> denied(BenchmarkEnvironment environment) {
        var description = "the same, all denied, against envoyproxy/ratelimit with its local cache";
        var missing = Peer.missing(Peer.RATELIMIT);
        if (missing.isPresent()) {
            return List.of(BenchmarkResult.notMeasured("rls-denied", description, missing.get()));
        }
        try (var peer = PeerServers.rateLimit(environment.redis().port(), 64 << 20)) {
            var ours = sluice(environment, "once", 429);
            var theirs = new Contender(target(peer.port(), "once"), peer::cpuMicros, true, 429);
            HttpLoad.once(ours.target());
            HttpLoad.once(theirs.target());
            return List.of(Contender.ratio(environment, "rls-denied", description, ours, theirs).atLeast(2)
                    .withNote("1/day"));
        }
    }

    /** Compares forward authentication with a check of the same limit. */
    static List<BenchmarkResult> forwardAuth(BenchmarkEnvironment environment) {
        var instance = environment.instance("forward-auth", BenchmarkSettings.SERVICE,
                Map.of("RATE_LIMIT_DEFAULT", "1000/minute", "RATE_LIMIT_TRUSTED_PROXIES", ApiGatewayMeasurements.TRUSTED));
        var questions = IntStream.range(0, BenchmarkEnvironment.IDENTITIES)
                .mapToObj(i -> ("GET /v1/forward-auth HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-Method: GET\r\n"
                        + "X-Forwarded-Uri: /things\r\nX-Forwarded-For: 10.0." + i / 250 + '.' + (1 + i % 250) + "\r\n\r\n")
                        .getBytes(StandardCharsets.US_ASCII))
                .toList();
        return List.of(Contender.ratio(environment, "forward-auth", "/v1/forward-auth against /v1/check, all allowed",
                contender(environment, instance, questions),
                contender(environment, instance, CheckMeasurements.checks("forward", 1000, 60))).atLeast(0.9)
                .withNote("1000/minute"));
    }

    private static Contender contender(BenchmarkEnvironment environment, Instance instance, List<byte[]> requests) {
        return new Contender(BenchmarkEnvironment.target(instance, requests), () -> environment.cpuMicros(instance), true, 200);
    }
}
