package dev.sluice.testing.proxies;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import org.awaitility.Awaitility;

import dev.sluice.testing.FreePorts;

/** A process of Envoy, if the program is installed: on the path, or named by the variable {@code ENVOY}. */
public final class EnvoyProcess implements AutoCloseable {

    private static final Duration START_TIMEOUT = Duration.ofSeconds(60);

    private final Process process;
    private final int port;

    private EnvoyProcess(Process process, int port) {
        this.process = process;
        this.port = port;
    }

    /** Returns the program; empty if it is not installed. */
    public static Optional<Path> program() {
        var path = Stream.of(System.getenv().getOrDefault("PATH", "").split(":")).map(folder -> Path.of(folder, "envoy"));
        var named = Stream.ofNullable(System.getenv("ENVOY")).map(Path::of);
        return Stream.concat(named, path).filter(Files::isExecutable).findFirst();
    }

    /**
     * Starts Envoy in front of an application, with the filter of rate limits.
     *
     * @param domain domain of the rate limits
     * @param actions actions of the route, as a list of YAML in one line
     * @param app port of the application
     * @param services ports of the rate limit services, which are used in turn
     */
    public static EnvoyProcess start(String domain, String actions, int app, List<Integer> services) throws IOException {
        int port = FreePorts.next();
        var config = Files.createTempFile("sluice-envoy", ".yaml");
        Files.writeString(config, config(port, domain, actions, app, services));
        var process = new ProcessBuilder(program().orElseThrow().toString(), "-c", config.toString(), "--use-dynamic-base-id",
                "--concurrency", "1", "--log-level", "error").redirectErrorStream(true)
                .redirectOutput(Files.createTempFile("sluice-envoy", ".log").toFile()).start();
        Awaitility.await().atMost(START_TIMEOUT).until(() -> isOpen(port));
        return new EnvoyProcess(process, port);
    }

    private static boolean isOpen(int port) {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return socket.isConnected();
        } catch (IOException e) {
            return false;
        }
    }

    private static String config(int port, String domain, String actions, int app, List<Integer> services) {
        var endpoints = services.stream().map(service -> "        - endpoint: {address: {socket_address: {address: 127.0.0.1,"
                + " port_value: " + service + "}}}").collect(Collectors.joining("\n"));
        return """
                static_resources:
                  listeners:
                  - address: {socket_address: {address: 127.0.0.1, port_value: %d}}
                    filter_chains:
                    - filters:
                      - name: envoy.filters.network.http_connection_manager
                        typed_config:
                          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                          stat_prefix: test
                          http_filters:
                          - name: envoy.filters.http.ratelimit
                            typed_config:
                              "@type": type.googleapis.com/envoy.extensions.filters.http.ratelimit.v3.RateLimit
                              domain: %s
                              timeout: 60s
                              failure_mode_deny: true
                              rate_limit_service:
                                transport_api_version: V3
                                grpc_service: {envoy_grpc: {cluster_name: sluice}}
                          - name: envoy.filters.http.router
                            typed_config:
                              "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
                          route_config:
                            virtual_hosts:
                            - name: test
                              domains: ["*"]
                              routes:
                              - match: {prefix: /}
                                route:
                                  cluster: app
                                  rate_limits: %s
                  clusters:
                  - name: app
                    load_assignment:
                      cluster_name: app
                      endpoints:
                      - lb_endpoints:
                        - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: %d}}}
                  - name: sluice
                    typed_extension_protocol_options:
                      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
                        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
                        explicit_http_config: {http2_protocol_options: {}}
                    load_assignment:
                      cluster_name: sluice
                      endpoints:
                      - lb_endpoints:
                %s
                """
                .formatted(port, domain, actions, app, endpoints);
    }

    public int port() {
        return port;
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
