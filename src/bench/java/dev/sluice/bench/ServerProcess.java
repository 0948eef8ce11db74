package dev.sluice.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

import dev.sluice.testing.FreePorts;
import dev.sluice.testing.Instance;

/** Process of a server that is compared with Sluice. */
final class ServerProcess implements AutoCloseable {

    private static final long START_NANOS = 60_000_000_000L;
    private static final long POLL_INTERVAL_NANOS = 20_000_000;

    private final Process process;
    private final int port;

    private ServerProcess(Process process, int port) {
        this.process = process;
        this.port = port;
    }

    /**
     * Starts a server of the benchmark in a JVM with the same heap and options as Sluice.
     *
     * @param main class that listens on the port in its first argument and then prints a line, see {@link BareServer}
     */
    static ServerProcess java(Class<?> main, String... arguments) {
        try {
            int port = FreePorts.next();
            var command = new ArrayList<>(
                    List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx512m"));
            command.addAll(Instance.serviceOptions());
            command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName(), Integer.toString(port)));
            command.addAll(List.of(arguments));
            var process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
            var output = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII));
            if (output.readLine() == null) {
                throw new IllegalStateException(main.getSimpleName() + " did not start");
            }
            return new ServerProcess(process, port);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Starts a program and waits until it accepts connections.
     *
     * @param folder its working directory, to which its output is written
     * @param port port on which it has been configured to listen
     */
    static ServerProcess start(Path folder, int port, Map<String, String> environment, List<String> command) {
        try {
            var output = folder.resolve("output.log").toFile();
            var builder = new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true)
                    .redirectOutput(output);
            builder.environment().putAll(environment);
            var process = builder.start();
            var server = new ServerProcess(process, port);
            long deadline = System.nanoTime() + START_NANOS;
            while (!server.isListening()) {
                if (!process.isAlive() || System.nanoTime() > deadline) {
                    server.close();
                    throw new IllegalStateException(command + " did not start:\n" + Files.readString(output.toPath()));
                }
                LockSupport.parkNanos(POLL_INTERVAL_NANOS);
            }
            return server;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private boolean isListening() {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return socket.isConnected();
        } catch (IOException e) {
            return false;
        }
    }

    int port() {
        return port;
    }

    /** Returns the CPU time of the process and its children, in microseconds. */
    double cpuMicros() {
        return Stream.concat(Stream.of(process.toHandle()), process.descendants())
                .mapToDouble(BenchmarkEnvironment::cpuMicros).sum();
    }

    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            process.destroyForcibly();
        }
    }
}
