package dev.sluice.testing;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Process of the packaged program, started like in production: the native executable if {@code -Dnative} has built it, otherwise
 * the JVM package.
 */
public final class Instance implements AutoCloseable {

    /** Value of a variable that leaves the setting at the service's default. */
    public static final String DEFAULT = "(default)";

    private static final long START_SECONDS = 180; // on a busy machine with few cores
    /** Most tests and benchmarks send more requests without a token than one address may, many of them beside an upstream. */
    private static final Map<String, String> CHECKS_WITHOUT_LIMIT = Map.of("RATE_LIMIT_CHECK_RATE", "unlimited",
            "RATE_LIMIT_CHECK_OPEN", "true");

    private final Process process;
    private final List<String> log = new ArrayList<>();
    private final CompletableFuture<Boolean> started = new CompletableFuture<>();
    private final int port;
    private final int managementPort;
    private final Thread logReader;

    private Instance(List<String> command, Map<String, String> environment) throws IOException {
        port = FreePorts.next();
        managementPort = FreePorts.next();
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(CHECKS_WITHOUT_LIMIT);
        builder.environment().putAll(environment);
        builder.environment().values().removeIf(DEFAULT::equals);
        builder.environment().put("QUARKUS_HTTP_PORT", Integer.toString(port));
        builder.environment().put("QUARKUS_HTTP_HOST", "127.0.0.1");
        builder.environment().put("QUARKUS_MANAGEMENT_PORT", Integer.toString(managementPort));
        builder.environment().put("QUARKUS_MANAGEMENT_HOST", "127.0.0.1");
        process = builder.start();
        logReader = new Thread(this::readLog, "log of " + port);
        logReader.setDaemon(true);
        logReader.start();
    }

    private static List<String> serviceCommand() {
        var runner = System.getProperty("native.image.path");
        if (runner != null) {
            return List.of(runner, "-Xmx512m");
        }
        return javaCommand(serviceJar());
    }

    private static Path serviceJar() {
        return Path.of(System.getProperty("sluice.service.jar", "target/quarkus-app/quarkus-run.jar"));
    }

    private static List<String> javaCommand(Path jar) {
        return javaCommand(List.of("-Xmx512m"), jar);
    }

    private static List<String> javaCommand(List<String> options, Path jar) {
        var command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        command.addAll(options);
        command.addAll(serviceOptions());
        command.addAll(List.of("-jar", jar.toString()));
        return command;
    }

    /** Returns the options of the JVM that the build sets for the packaged program. */
    public static List<String> serviceOptions() {
        return Stream.of(System.getProperty("sluice.service.options", "").split(" ")).filter(option -> !option.isEmpty())
                .toList();
    }

    /** Starts the service and waits until it serves. */
    public static Instance start(Map<String, String> environment) {
        return awaitStarted(launch(serviceCommand(), environment));
    }

    /**
     * Starts the service with a command prefix, such as one that moves the process into a control group.
     *
     * @param prefix command that executes its arguments; empty for none
     */
    public static Instance start(List<String> prefix, Map<String, String> environment) {
        var command = new ArrayList<>(prefix);
        command.addAll(serviceCommand());
        return awaitStarted(launch(command, environment));
    }

    /**
     * Starts the JVM package of the service. The heap is resident from the start, so that the resident memory grows only by
     * other memory.
     *
     * @param heap size of the heap, {@code 256m}
     */
    public static Instance startWithHeap(String heap, Map<String, String> environment) {
        return awaitStarted(
                launch(javaCommand(List.of("-Xms" + heap, "-Xmx" + heap, "-XX:+AlwaysPreTouch"), serviceJar()), environment));
    }

    /** Starts another application that is packaged by Quarkus. */
    public static Instance start(Path jar, Map<String, String> environment) {
        return awaitStarted(launch(javaCommand(jar), environment));
    }

    private static Instance awaitStarted(Instance instance) {
        if (!instance.started.completeOnTimeout(false, START_SECONDS, TimeUnit.SECONDS).join()) {
            instance.close();
            throw new IllegalStateException("did not start:\n" + instance.log());
        }
        return instance;
    }

    /** Starts the service, expecting it to exit; returns its log. */
    public static String startExpectingFailure(Map<String, String> environment) {
        try (var instance = launch(serviceCommand(), environment)) {
            if (instance.started.completeOnTimeout(true, START_SECONDS, TimeUnit.SECONDS).join()) {
                throw new IllegalStateException("started unexpectedly:\n" + instance.log());
            }
            return instance.log();
        }
    }

    /** Result of a command of the program. */
    public record CommandResult(int exitCode, String output) {
    }

    /**
     * Runs the program with arguments, expecting it to exit.
     *
     * @param environment variables in addition to those of this process
     */
    public static CommandResult runCommand(Map<String, String> environment, String... arguments)
            throws IOException, InterruptedException {
        var command = new ArrayList<>(serviceCommand());
        command.addAll(List.of(arguments));
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(environment);
        var program = builder.start();
        var output = new String(program.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new CommandResult(program.waitFor(), output);
    }

    private static Instance launch(List<String> command, Map<String, String> environment) {
        try {
            return new Instance(command, environment);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void readLog() {
        try (var lines = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (var line = lines.readLine(); line != null; line = lines.readLine()) {
                synchronized (log) {
                    log.add(line);
                }
                if (line.contains("Listening on")) {
                    started.complete(true);
                }
            }
        } catch (IOException e) {
            // the process has exited
        }
        started.complete(false);
    }

    /**
     * Runs the program again with an argument, while this instance keeps running.
     *
     * @return its exit code
     */
    public int run(String argument) throws IOException, InterruptedException {
        var command = new ArrayList<>(serviceCommand());
        command.add(argument);
        var builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD);
        builder.environment().put("QUARKUS_MANAGEMENT_PORT", Integer.toString(managementPort));
        var other = builder.start();
        if (!other.waitFor(START_SECONDS, TimeUnit.SECONDS)) {
            other.destroyForcibly();
            throw new IllegalStateException(argument + " did not exit");
        }
        return other.exitValue();
    }

    public int port() {
        return port;
    }

    public long pid() {
        return process.pid();
    }

    public int managementPort() {
        return managementPort;
    }

    public String log() {
        synchronized (log) {
            return String.join("\n", log);
        }
    }

    /** Stops the process with SIGSTOP: its sockets stay open, and it neither reads nor writes. */
    public void suspend() {
        ProcessSignals.suspend(process.toHandle());
    }

    /** Continues the process after {@link #suspend()}. */
    public void resume() {
        ProcessSignals.resume(process.toHandle());
    }

    /** Requests the process to stop (SIGTERM) and returns at once. */
    public void terminate() {
        process.toHandle().destroy();
    }

    /** Ends the process at once (SIGKILL). */
    public void kill() {
        process.destroyForcibly();
    }

    @Override
    public void close() {
        resume(); // a suspended process does not handle SIGTERM
        process.toHandle().destroy(); // unlike Process.destroy, keeps its output stream open
        try {
            if (!process.waitFor(40, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
            logReader.join(5000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            process.destroyForcibly();
        }
    }
}
