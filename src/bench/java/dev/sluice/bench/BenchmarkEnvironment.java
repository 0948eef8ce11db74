package dev.sluice.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import com.sun.management.UnixOperatingSystemMXBean;

import dev.sluice.testing.Instance;
import dev.sluice.testing.RedisTestServer;
import dev.sluice.testing.faults.RespClient;

/** Redis and the instances under load, all on this machine. Instances are started on demand. */
final class BenchmarkEnvironment implements AutoCloseable {

    static final int IDENTITIES = 10_000;
    static final int CONNECTIONS = 64;

    private static final int MAX_WARM_UPS = 6;
    private static final long WARM_REQUESTS = 200_000;
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    private final RedisTestServer redis = RedisTestServer.start();
    private final Map<String, Instance> instances = new HashMap<>();
    private final Map<Instance, ProcessHandle> processes = new IdentityHashMap<>();
    /** Ports of servers that have been warmed up. */
    private final Set<Integer> warmedUp = new HashSet<>();
    private UpstreamStub upstream;
    private UpstreamStub provider;
    private double loaderCpu;

    RedisTestServer redis() {
        return redis;
    }

    String redisVersion() {
        try (var connection = new RespClient(redis.port())) {
            var version = String.valueOf(connection.command("INFO", "server"));
            int at = version.indexOf("redis_version:") + 14;
            return version.substring(at, version.indexOf('\r', at));
        }
    }

    /** Returns the upstream of the API gateways, which responds {@code ok}. */
    UpstreamStub upstream() {
        if (upstream == null) {
            upstream = UpstreamStub.fixedResponse("text/plain", "ok");
        }
        return upstream;
    }

    /** Returns the provider of the LLM gateways, which returns fixed bytes. */
    UpstreamStub provider() {
        if (provider == null) {
            provider = UpstreamStub.fixedCompletion();
        }
        return provider;
    }

    /** Returns the application with limits. */
    Instance limitedApp() {
        return app("limited", Map.of());
    }

    /** Returns the application with {@code RATE_LIMIT_ENABLED=false}. */
    Instance unlimitedApp() {
        return app("off", Map.of("RATE_LIMIT_ENABLED", "false"));
    }

    private Instance app(String name, Map<String, String> environment) {
        return instance(name, BenchmarkSettings.APP, environment);
    }

    /** Returns the instance of this name, which is started at the first call. */
    Instance instance(String name, Path jar, Map<String, String> environment) {
        return instances.computeIfAbsent(name, start -> start(jar, environment));
    }

    /** Starts an instance that the caller has to stop. */
    Instance start(Path jar, Map<String, String> environment) {
        var all = new HashMap<>(environment);
        all.put("REDIS_HOST", "127.0.0.1");
        all.put("REDIS_PORT", Integer.toString(redis.port()));
        all.putAll(Profiler.environment());
        var before = ProcessHandle.current().children().collect(Collectors.toSet());
        var instance = Instance.start(jar, all);
        processes.put(instance, ProcessHandle.current().children().filter(child -> !before.contains(child)).findFirst()
                .orElseThrow());
        return instance;
    }

    /** Stops an instance that is no longer needed. */
    void stop(String name) {
        var instance = instances.remove(name);
        if (instance != null) {
            instance.close();
        }
    }

    /** Returns the CPU time that an instance has used, in microseconds. */
    double cpuMicros(Instance instance) {
        return cpuMicros(processes.get(instance));
    }

    long pid(Instance instance) {
        return processes.get(instance).pid();
    }

    static double cpuMicros(ProcessHandle process) {
        return process.info().totalCpuDuration().orElseThrow().toNanos() / 1e3;
    }

    /** Returns the resident memory of an instance. */
    double residentMegabytes(Instance instance) {
        try (var lines = Files.lines(Path.of("/proc", Long.toString(pid(instance)), "status"))) {
            var line = lines.filter(text -> text.startsWith("VmRSS:")).findFirst().orElseThrow();
            return Double.parseDouble(line.replaceAll("\\D", "")) / 1024;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns how many files this process and its children may open. */
    static long maxOpenFiles() {
        return ManagementFactory.getPlatformMXBean(UnixOperatingSystemMXBean.class).getMaxFileDescriptorCount();
    }

    /** Returns the CPU time that Redis has used, in microseconds. */
    static double redisCpuMicros(RedisTestServer redis) {
        return 1e6 * (infoField(redis, "cpu", "used_cpu_user:") + infoField(redis, "cpu", "used_cpu_sys:"));
    }

    /** Returns the number of script calls that Redis has executed. */
    static double scriptCalls(RedisTestServer redis) {
        return infoField(redis, "commandstats", "cmdstat_evalsha:calls=");
    }

    private static double infoField(RedisTestServer redis, String section, String name) {
        try (var connection = new RespClient(redis.port())) {
            var info = String.valueOf(connection.command("INFO", section));
            int from = info.indexOf(name);
            if (from < 0) {
                return 0;
            }
            int to = from + name.length();
            while (Character.isDigit(info.charAt(to)) || info.charAt(to) == '.') {
                to++;
            }
            return Double.parseDouble(info.substring(from + name.length(), to));
        }
    }

    /** Returns one GET request for each identity, as sent by a trusted proxy. */
    static List<byte[]> requests(String path, String users) {
        return IntStream.range(0, IDENTITIES).mapToObj(i -> ("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nX-User-Id: "
                + users + i + "\r\n\r\n").getBytes(StandardCharsets.US_ASCII)).toList();
    }

    static HttpLoad.Target target(Instance instance, List<byte[]> requests) {
        return new HttpLoad.Target(instance.port(), CONNECTIONS, requests);
    }

    /** Runs a closed loop in which all responses must have this status. */
    HttpLoad.Outcome load(HttpLoad.Target target, double seconds, int status) {
        warmUp(target);
        return recordLoaderCpu(HttpLoad.closed(target, seconds).expecting(status));
    }

    /**
     * Loads new processes for twice the time of a warm-up, and longer if they have handled few requests: the JIT compiler works by
     * their number.
     */
    void warmUp(HttpLoad.Target target) {
        if (warmedUp.addAll(target.ports())) {
            long responses = 0;
            for (int i = 0; i < 2 || i < MAX_WARM_UPS && responses < WARM_REQUESTS; i++) {
                responses += HttpLoad.closed(target, BenchmarkSettings.WARMUP).responses();
            }
        }
    }

    HttpLoad.Outcome recordLoaderCpu(HttpLoad.Outcome outcome) {
        recordLoaderCpu(outcome.loaderCpu());
        return outcome;
    }

    void recordLoaderCpu(double share) {
        loaderCpu = Math.max(loaderCpu, share);
    }

    /** Returns a note about the maximum CPU share of the load generator since the last call. */
    String loaderCpu() {
        var note = String.format(Locale.ROOT, "load generator %.0f %% of a core", 100 * loaderCpu);
        loaderCpu = 0;
        return note;
    }

    static String get(Instance instance, String path) {
        try {
            var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + instance.port() + path)).build();
            var response = CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
            if (response.statusCode() != 200) {
                throw new IllegalStateException(path + ": " + response.statusCode() + " " + response.body());
            }
            return response.body();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        instances.values().forEach(Instance::close);
        Stream.of(upstream, provider).filter(Objects::nonNull).forEach(UpstreamStub::close);
        redis.close();
    }
}
