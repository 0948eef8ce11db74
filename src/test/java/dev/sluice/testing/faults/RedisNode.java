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

import dev.sluice.testing.FreePorts;
import dev.sluice.testing.ProcessSignals;
import redis.embedded.core.ExecutableProvider;

/**
 * Redis server process with its own port, directory and settings, which a test can kill, suspend and restart with its data.
 */
public final class RedisNode implements AutoCloseable {

    private static final String USER = "sluice";
    private static final String PASSWORD = "p@ss:w/rd";
    private static final Path EXECUTABLE = executable();

    private final int port;
    private final Path folder;
    private final List<String> arguments;
    private Process process;

    private RedisNode(List<String> arguments, String configuration) {
        this.port = FreePorts.next();
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

    /** Starts a server that persists all writes, so that it restarts with its data after a kill. */
    public static RedisNode server(String... arguments) {
        var all = new ArrayList<>(List.of("--save", "", "--appendonly", "yes", "--appendfsync", "no",
                "--repl-diskless-sync-delay", "0"));
        all.addAll(List.of(arguments));
        return new RedisNode(all, null);
    }

    /** Starts a server that runs scripts only for the user of {@link #userUrl()}. */
    public static RedisNode serverWithAcl(String... arguments) {
        var all = new ArrayList<>(List.of("--user", "default", "on", "nopass", "~*", "&*", "+@all", "-eval", "-evalsha",
                "--user", USER, "on", '>' + PASSWORD, "~sluice:*", "+@read", "+@write", "+@scripting", "+@connection",
                "+time", "+info", "+cluster|slots")); // as docs/operations.md has it
        all.addAll(List.of(arguments));
        return server(all.toArray(String[]::new));
    }

    /** @param configuration initial content of the configuration file, which a sentinel rewrites */
    public static RedisNode sentinel(String configuration) {
        return new RedisNode(List.of("--sentinel"), configuration);
    }

    private static Path executable() {
        try {
            return ExecutableProvider.newJarResourceProvider().get().toPath();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Starts the server and waits until it has loaded its data and serves. */
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

    /** Resumes the server, or restarts it if it has been killed. */
    public void restore() {
        if (isRunning()) {
            resume();
        } else {
            start();
        }
    }

    /** Kills the process, like a crash or the OOM killer. */
    public void kill() {
        process.destroyForcibly();
        try {
            process.waitFor(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Deletes the data on disk. */
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
        ProcessSignals.suspend(process.toHandle());
    }

    public void resume() {
        ProcessSignals.resume(process.toHandle());
    }

    /** Executes a command over a new connection; see {@link RespClient#command}. */
    public Object command(String... words) {
        return RespClient.execute(port, words);
    }

    /** Opens a connection. */
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

    /** @param port port of this server, or of a {@link FaultProxy} in front of it */
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
        kill(); // works for a suspended process too
        try (var files = Files.walk(folder)) {
            files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
