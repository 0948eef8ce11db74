package dev.sluice.proxies;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import org.junit.jupiter.api.Assumptions;

import dev.sluice.testing.Polling;

/** A real proxy with the configuration of {@code examples/proxies}, in which only ports and timeouts are changed. */
final class ProxyProgram implements AutoCloseable {

    private final Process process;
    private final Path log;
    private final int port;

    private ProxyProgram(Process process, Path log, int port) {
        this.process = process;
        this.log = log;
        this.port = port;
    }

    /** Returns the file of a program; skips the test with one line if it is not installed. */
    static Path require(String name) {
        var found = find(name);
        if (found.isEmpty()) {
            System.out.println("Skipped: the program is not found: " + name + "; .ci/run shows how to install it");
        }
        Assumptions.assumeTrue(found.isPresent(), "the program is not found: " + name);
        return found.orElseThrow();
    }

    private static Optional<Path> find(String name) {
        var folders = Stream.concat(Stream.of(System.getenv("PATH").split(File.pathSeparator)), Stream.of("/usr/sbin"));
        var named = Stream.ofNullable(System.getenv(name.toUpperCase(Locale.ROOT))).map(Path::of);
        return Stream.concat(named, folders.map(folder -> Path.of(folder, name))).filter(Files::isExecutable).findFirst();
    }

    /**
     * Starts a proxy and waits until it accepts connections.
     *
     * @param example folder in {@code examples/proxies}
     * @param folder copy of the example
     * @param port port of the proxy
     * @param sluice port of Sluice
     * @param grpc port of Sluice for gRPC
     * @param api port of the API behind the proxy
     * @param command command, run in the folder
     */
    static ProxyProgram start(String example, Path folder, int port, int sluice, int grpc, int api,
            List<String> command) {
        try {
            // The timeouts are those of a machine that may be slow.
            copy(Path.of("examples/proxies", example), folder,
                    Map.ofEntries(Map.entry("127.0.0.1:8000", "127.0.0.1:" + port),
                            Map.entry("127.0.0.1:8080", "127.0.0.1:" + sluice),
                            Map.entry("127.0.0.1:9000", "127.0.0.1:" + api),
                            Map.entry("port_value: 8000", "port_value: " + port),
                            Map.entry("port_value: 8080", "port_value: " + sluice),
                            Map.entry("port_value: 8081", "port_value: " + grpc),
                            Map.entry("port_value: 9000", "port_value: " + api), Map.entry("_timeout 1s", "_timeout 60s"),
                            Map.entry("_timeout 2s", "_timeout 60s"), Map.entry("timeout: 0.5s", "timeout: 60s"),
                            Map.entry("TIMEOUT = 1000", "TIMEOUT = 60000")));
            var log = folder.resolve("log.txt");
            var builder = new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true)
                    .redirectOutput(log.toFile());
            builder.environment().put("XDG_CONFIG_HOME", folder.toString());
            builder.environment().put("XDG_DATA_HOME", folder.toString());
            var program = new ProxyProgram(builder.start(), log, port);
            Polling.await().until(() -> program.accepts() || !program.process.isAlive());
            if (!program.process.isAlive()) {
                throw new IllegalStateException("did not start:\n" + program.log());
            }
            return program;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void copy(Path from, Path to, Map<String, String> replacements) throws IOException {
        try (var files = Files.list(from)) {
            for (var file : files.toList()) {
                var text = Files.readString(file);
                for (var replacement : replacements.entrySet()) {
                    text = text.replace(replacement.getKey(), replacement.getValue());
                }
                Files.writeString(to.resolve(file.getFileName()), text);
            }
        }
    }

    private boolean accepts() {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return socket.isConnected();
        } catch (IOException e) {
            return false;
        }
    }

    int port() {
        return port;
    }

    String log() {
        try {
            return Files.readString(log, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        var children = process.descendants().toList();
        process.destroy();
        try {
            if (!process.waitFor(30, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        children.forEach(ProcessHandle::destroyForcibly);
    }
}
