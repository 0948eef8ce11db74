package dev.sluice.testing.faults;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import org.awaitility.Awaitility;

import dev.sluice.testing.ProcessSignals;
import dev.sluice.testing.RedisTestServer;
import redis.embedded.core.ExecutableProvider;

/**
 * A real Redis server as a process of its own, with its port, its folder and its settings, that a test can kill, stop, and
 * start again where it was.
 */
public final class RedisNode implements AutoCloseable {

    private static final int MAX_PORT = 55_000; // a cluster's bus is 10,000 above
    private static final String USER = "sluice";
    private static final String PASSWORD = "p@ss:w/rd";
    private static final Path EXECUTABLE = executable();

    private final int port;
    private final Path folder;
    private final List<String> arguments;
    private Process process;

    private RedisNode(List<String> arguments, String configuration) {
        this.port = freePort();
        try {
            this.folder = Files.createTempDirectory("sluice-redis-");
            var command = new ArrayList<>(List.of(EXECUTABLE.toString()));
            if (configuration != null) {
                command.add(Files.writeString(folder.resolve("redis.conf"), configuration).toString());
            }
            command.addAll(List.of("--port", Integer.toString(port), "--bind", "127.0.0.1", "--dir", folder.toString()));
            command.addAll(arguments);
            this.arguments = command;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Runtime.getRuntime().addShutdownHook(new Thread(this::kill)); // also where a test never comes to close it
        start();
    }

    /** A server that writes all it does to disk, so that a killed one comes back with its data. */
    public static RedisNode server(String... arguments) {
        var all = new ArrayList<>(List.of("--save", "", "--appendonly", "yes", "--appendfsync", "no",
                "--repl-diskless-sync-delay", "0"));
        all.addAll(List.of(arguments));
        return new RedisNode(all, null);
    }

    /** One that runs scripts only for the user whose name and password are in {@link #userUrl()}. */
    public static RedisNode serverWithAcl(String... arguments) {
        var all = new ArrayList<>(List.of("--user", "default", "on", "nopass", "~*", "&*", "+@all", "-eval", "-evalsha",
                "--user", USER, "on", '>' + PASSWORD, "~sluice:*", "+@read", "+@write", "+@scripting", "+@connection",
                "+time", "+info", "+cluster|slots")); // as docs/operations.md has it
        all.addAll(List.of(arguments));
        return server(all.toArray(String[]::new));
    }

    /** @param configuration what a sentinel keeps in its file, and writes to */
    static RedisNode sentinel(String configuration) {
        return new RedisNode(List.of("--sentinel"), configuration);
    }

    private static Path executable() {
        try {
            return ExecutableProvider.newJarResourceProvider().get().toPath();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int freePort() {
        int port = RedisTestServer.freePort();
        while (port > MAX_PORT) {
            port = RedisTestServer.freePort();
        }
        return port;
    }

    /** Starts it and waits until it serves, with all of its data. */
    public void start() {
        try {
            process = new ProcessBuilder(arguments).redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(folder.resolve("log").toFile())).start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Awaitility.await().atMost(Duration.ofSeconds(20)).pollInterval(Duration.ofMillis(20)).until(this::isServing);
    }

    private boolean isServing() {
        try {
            return "PONG".equals(command("PING"));
        } catch (UncheckedIOException e) {
            return false;
        }
    }

    /** As it was at first, whatever a test has done to it. */
    public void restore() {
        if (isRunning()) {
            resume();
        } else {
            start();
        }
    }

    /** As a crash would, or the kernel when memory ends. */
    public void kill() {
        process.destroyForcibly();
        try {
            process.waitFor(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Throws away what it wrote to disk. */
    public void deleteData() {
        for (var file : List.of("appendonly.aof", "dump.rdb")) {
            try {
                Files.deleteIfExists(folder.resolve(file));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** Suspends the server: it keeps its connections but does not reply. */
    public void suspend() {
        ProcessSignals.suspend(process);
    }

    public void resume() {
        ProcessSignals.resume(process);
    }

    /** @return what {@link RespClient} makes of the answer */
    public Object command(String... words) {
        return RespClient.execute(port, words);
    }

    /** A connection that stays. */
    public RespClient connection() {
        return new RespClient(port);
    }

    boolean isRunning() {
        return process.isAlive();
    }

    boolean isMaster() {
        try {
            return command("ROLE") instanceof List<?> role && "master".equals(role.get(0));
        } catch (UncheckedIOException e) {
            return false;
        }
    }

    public int port() {
        return port;
    }

    public String url() {
        return "redis://127.0.0.1:" + port;
    }

    /** Returns the settings of an instance that uses this server, and others. */
    public Map<String, String> environment(Map<String, String> others) {
        return environment(port, others);
    }

    /** @param port of this server, or of a {@link FaultProxy} before it */
    public static Map<String, String> environment(int port, Map<String, String> others) {
        var environment = new HashMap<>(others);
        environment.put("REDIS_HOST", "127.0.0.1");
        environment.put("REDIS_PORT", Integer.toString(port));
        return environment;
    }

    public String userUrl() {
        return "redis://" + USER + ':' + URLEncoder.encode(PASSWORD, StandardCharsets.UTF_8) + "@127.0.0.1:" + port;
    }

    public String log() {
        try {
            return Files.readString(folder.resolve("log"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        kill(); // a stopped one too
        try (var files = Files.walk(folder)) {
            files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
