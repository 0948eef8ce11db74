package dev.sluice.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

import dev.sluice.testing.FreePorts;

/** Starts the other programs with the configurations in {@code src/bench/resources}. */
final class PeerServers {

    private PeerServers() {
    }

    /** Starts Envoy as a reverse proxy without limits. */
    static ServerProcess envoy(int upstreamPort) {
        return envoy("envoy", Map.of("upstream", upstreamPort));
    }

    /** Starts Envoy as a reverse proxy that asks envoyproxy/ratelimit about each request. */
    static ServerProcess envoyWithRateLimit(int upstreamPort, int grpcPort) {
        return envoy("envoy-ratelimit", Map.of("upstream", upstreamPort, "ratelimit", grpcPort));
    }

    private static ServerProcess envoy(String name, Map<String, Integer> ports) {
        int port = FreePorts.next();
        var folder = folder(name);
        var configuration = configure(name + ".yaml", folder.resolve("envoy.yaml"), port, ports);
        return ServerProcess.start(folder, port, Map.of(), List.of(Peer.ENVOY.path(), "-c", configuration.toString(),
                "--concurrency", Integer.toString(Runtime.getRuntime().availableProcessors()), "--log-level", "error",
                "--disable-hot-restart"));
    }

    /**
     * Starts envoyproxy/ratelimit with its default settings; the port is that of gRPC.
     *
     * @param localCacheBytes size of its local cache of denials; 0 for none
     */
    static ServerProcess rateLimit(int redisPort, int localCacheBytes) {
        int port = FreePorts.next();
        var folder = folder("ratelimit");
        configure("ratelimit.yaml", folder.resolve("runtime/ratelimit/config/bench.yaml"), port, Map.of());
        return ServerProcess.start(folder, port,
                Map.ofEntries(Map.entry("LOG_LEVEL", "error"), Map.entry("USE_STATSD", "false"),
                        Map.entry("REDIS_SOCKET_TYPE", "tcp"), Map.entry("REDIS_URL", "127.0.0.1:" + redisPort),
                        Map.entry("RUNTIME_ROOT", folder.resolve("runtime").toString()),
                        Map.entry("RUNTIME_SUBDIRECTORY", "ratelimit"), Map.entry("RUNTIME_WATCH_ROOT", "false"),
                        Map.entry("LOCAL_CACHE_SIZE_IN_BYTES", Integer.toString(localCacheBytes)),
                        Map.entry("GRPC_HOST", "127.0.0.1"), Map.entry("GRPC_PORT", Integer.toString(port)),
                        Map.entry("HOST", "127.0.0.1"), Map.entry("PORT", Integer.toString(FreePorts.next())),
                        Map.entry("DEBUG_HOST", "127.0.0.1"),
                        Map.entry("DEBUG_PORT", Integer.toString(FreePorts.next()))),
                List.of(Peer.RATELIMIT.path()));
    }

    /** Starts nginx as a reverse proxy without limits. */
    static ServerProcess nginx(int upstreamPort) {
        int port = FreePorts.next();
        var folder = folder("nginx");
        var configuration = configure("nginx.conf", folder.resolve("nginx.conf"), port, Map.of("upstream", upstreamPort));
        return ServerProcess.start(folder, port, Map.of(),
                List.of(Peer.NGINX.path(), "-p", folder + "/", "-c", configuration.toString(), "-e", "stderr"));
    }

    /** Starts Portkey's gateway, which takes the address of the provider from the header x-portkey-custom-host. */
    static ServerProcess portkey() {
        int port = FreePorts.next();
        return ServerProcess.start(folder("portkey"), port,
                Map.of("NODE_ENV", "production", "TRUSTED_CUSTOM_HOSTS", "127.0.0.1"),
                List.of(Peer.NODE.path(), Peer.PORTKEY.path(), "--headless", "--port=" + port));
    }

    private static Path folder(String name) {
        try {
            return Files.createDirectories(BenchmarkSettings.OUTPUT.resolve(name).toAbsolutePath());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Writes a configuration: the resource with its ports and the number of cores filled in. */
    private static Path configure(String resource, Path file, int port, Map<String, Integer> ports) {
        try (var template = PeerServers.class.getResourceAsStream(resource)) {
            var text = new String(template.readAllBytes(), StandardCharsets.UTF_8)
                    .replace("@listen@", Integer.toString(port))
                    .replace("@cores@", Integer.toString(Runtime.getRuntime().availableProcessors()));
            for (var other : ports.entrySet()) {
                text = text.replace("@" + other.getKey() + "@", Integer.toString(other.getValue()));
            }
            Files.createDirectories(file.getParent());
            return Files.writeString(file, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
