package dev.sluice.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

import dev.sluice.testing.Instance;

/** Measures the packaged service as a gateway to an API. */
final class ApiGatewayMeasurements {

    static final String TRUSTED = "127.0.0.1/32";

    private static final String PATH = "/things";
    private static final int MAX_RESPONSE_BYTES = 16 * 1024;
    private static final int IDLE_CLIENTS = 10_000;
    /** File descriptors of a process that it has besides the connections of its clients. */
    private static final int OTHER_FILES = 1000;
    private static final long SETTLE_NANOS = 2_000_000_000L;

    private ApiGatewayMeasurements() {
    }

    private static Instance limited(BenchmarkEnvironment environment) {
        return gateway(environment, "proxy", Map.of("RATE_LIMIT_DEFAULT", "1000/minute"));
    }

    private static Instance unlimited(BenchmarkEnvironment environment) {
        return gateway(environment, "plain proxy", Map.of("RATE_LIMIT_ENABLED", "false"));
    }

    private static Instance gateway(BenchmarkEnvironment environment, String name, Map<String, String> settings) {
        return environment.instance(name, BenchmarkSettings.SERVICE, settings(environment, settings));
    }

    private static Map<String, String> settings(BenchmarkEnvironment environment, Map<String, String> settings) {
        var all = new HashMap<>(settings);
        all.put("RATE_LIMIT_IDENTITY_PROXIES", TRUSTED);
        all.put("UPSTREAM_URL", "http://127.0.0.1:" + environment.upstream().port());
        return all;
    }

    private static Contender contender(BenchmarkEnvironment environment, Instance instance, boolean redis, int status) {
        return new Contender(target(instance.port()), () -> environment.cpuMicros(instance), redis, status);
    }

    private static Contender contender(ServerProcess server, int status) {
        return new Contender(target(server.port()), server::cpuMicros, false, status);
    }

    private static HttpLoad.Target target(int port) {
        return new HttpLoad.Target(port, BenchmarkEnvironment.CONNECTIONS, BenchmarkEnvironment.requests(PATH, "proxied"));
    }

    private static Contender allowed(BenchmarkEnvironment environment) {
        return contender(environment, limited(environment), true, 200);
    }

    private static void profile(BenchmarkEnvironment environment, String row, Instance instance, Contender contender) {
        Profiler.profile(row, environment.pid(instance), seconds -> contender.run(environment, seconds));
    }

    static List<BenchmarkResult> proxy(BenchmarkEnvironment environment) {
        var allowed = allowed(environment);
        var off = contender(environment, unlimited(environment), false, 200);
        var limits = Contender.ratio(environment, "proxy",
                "API gateway, all allowed, against the same hop with RATE_LIMIT_ENABLED=false", allowed, off);
        profile(environment, "proxy", limited(environment), allowed);
        var direct = target(environment.upstream().port());
        var hop = PairedMeasurement.measure(seconds -> environment.load(off.target(), seconds, 200),
                seconds -> environment.load(direct, seconds, 200));
        return List.of(limits.atLeast(0.8).withNote("1000/minute"),
                hop.ratio("proxy", "that hop against the upstream directly", HttpLoad.Outcome::perSecond)
                        .withNote(environment.loaderCpu()));
    }

    static List<BenchmarkResult> hop(BenchmarkEnvironment environment) {
        try (var hop = HopServer.start(environment.upstream().port())) {
            var off = contender(environment, unlimited(environment), false, 200);
            var result = Contender.ratio(environment, "hop",
                    "API gateway with RATE_LIMIT_ENABLED=false against a bare Vert.x hop", off, contender(hop, 200))
                    .atLeast(0.75);
            profile(environment, "hop", unlimited(environment), off);
            return List.of(result);
        }
    }

    /** Compares with proxies that have no limits. */
    static List<BenchmarkResult> envoy(BenchmarkEnvironment environment) {
        var figures = new ArrayList<BenchmarkResult>();
        var allowed = allowed(environment);
        var envoyDescription = "API gateway, all allowed, against Envoy without limits";
        Peer.missing(Peer.ENVOY).ifPresentOrElse(
                missing -> figures.add(BenchmarkResult.notMeasured("envoy", envoyDescription, missing)), () -> {
                    try (var envoy = PeerServers.envoy(environment.upstream().port())) {
                        figures.add(Contender.ratio(environment, "envoy", envoyDescription, allowed, contender(envoy, 200))
                                .atLeast(1.3));
                    }
                });
        var nginxDescription = "the same against nginx without limits";
        Peer.missing(Peer.NGINX).ifPresentOrElse(
                missing -> figures.add(BenchmarkResult.notMeasured("envoy", nginxDescription, missing)), () -> {
                    try (var nginx = PeerServers.nginx(environment.upstream().port())) {
                        figures.add(Contender.ratio(environment, "envoy", nginxDescription, allowed, contender(nginx, 200)));
                    }
                });
        return figures;
    }

    static List<BenchmarkResult> rateLimit(BenchmarkEnvironment environment) {
        var description = "API gateway, all allowed, against Envoy with envoyproxy/ratelimit";
        var missing = Peer.missing(Peer.ENVOY, Peer.RATELIMIT);
        if (missing.isPresent()) {
            return List.of(BenchmarkResult.notMeasured("ratelimit", description, missing.get()));
        }
        try (var rateLimit = PeerServers.rateLimit(environment.redis().port(), 0);
                var envoy = PeerServers.envoyWithRateLimit(environment.upstream().port(), rateLimit.port())) {
            var both = new Contender(target(envoy.port()), () -> envoy.cpuMicros() + rateLimit.cpuMicros(), true, 200);
            return List.of(Contender.ratio(environment, "ratelimit", description, allowed(environment), both).atLeast(5)
                    .withNote("1000/minute on both sides, one Redis"));
        }
    }

    static List<BenchmarkResult> denied(BenchmarkEnvironment environment) throws IOException {
        var instance = gateway(environment, "denying proxy", Map.of("RATE_LIMIT_DEFAULT", "1/day"));
        var denying = contender(environment, instance, true, 429);
        HttpLoad.once(denying.target()).expecting(200);
        try (var bare = DenialServer.start(response(instance.port(), denying.target().requests().get(0)))) {
            var result = Contender.ratio(environment, "denied",
                    "API gateway, all denied, against a bare Vert.x server with the same response", denying,
                    contender(bare, 429)).atLeast(0.8).withNote("1/day");
            profile(environment, "denied", instance, denying);
            return List.of(result);
        }
    }

    /** Returns the bytes of a response that is sent in one segment. */
    private static byte[] response(int port, byte[] request) throws IOException {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream().write(request);
            var bytes = new byte[MAX_RESPONSE_BYTES];
            return Arrays.copyOf(bytes, socket.getInputStream().read(bytes));
        }
    }

    /** Measures how much more memory is resident after ten thousand clients have made a request and stay connected. */
    static List<BenchmarkResult> idleClients(BenchmarkEnvironment environment) {
        var description = "memory of 10,000 idle clients with keep-alive connections";
        long files = BenchmarkEnvironment.maxOpenFiles();
        if (files < IDLE_CLIENTS + OTHER_FILES) {
            return List.of(BenchmarkResult.notMeasured("idle", description,
                    "needs " + (IDLE_CLIENTS + OTHER_FILES) + " open files, ulimit -n is " + files));
        }
        return List.of(
                idleClients(environment, true).difference("idle", description, megabytes -> megabytes)
                        .withUnits("MB", "MB").atMost(150)
                        .withNote("RSS after one request of each, of a process that was warm"),
                idleClients(environment, false).difference("idle", "the same in a new process", megabytes -> megabytes)
                        .withUnits("MB", "MB").withNote("unused heap included that the requests have touched"));
    }

    /** Measures with clients and without, in a new process each time, because a JVM keeps the memory that it has touched. */
    private static PairedMeasurement<Double> idleClients(BenchmarkEnvironment environment, boolean warm) {
        var measured = new PairedMeasurement<Double>(new ArrayList<>(), new ArrayList<>());
        var settings = settings(environment, Map.of("RATE_LIMIT_DEFAULT", "1000/minute", "QUARKUS_HTTP_LIMITS_MAX_CONNECTIONS",
                Integer.toString(2 * IDLE_CLIENTS)));
        for (int i = 0; i < BenchmarkSettings.PAIRS; i++) {
            try (var instance = environment.start(BenchmarkSettings.SERVICE, settings)) {
                if (warm) {
                    HttpLoad.closed(target(instance.port()), BenchmarkSettings.WARMUP).expecting(200);
                }
                LockSupport.parkNanos(SETTLE_NANOS);
                measured.second().add(environment.residentMegabytes(instance));
                var clients = new HttpLoad.Target(instance.port(), IDLE_CLIENTS,
                        BenchmarkEnvironment.requests(PATH, "idle"));
                HttpLoad.onceAndIdle(clients, BenchmarkEnvironment.CONNECTIONS, () -> {
                    LockSupport.parkNanos(SETTLE_NANOS);
                    measured.first().add(environment.residentMegabytes(instance));
                }).expecting(200);
            }
        }
        return measured;
    }
}
