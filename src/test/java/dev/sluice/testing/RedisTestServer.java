package dev.sluice.testing;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import redis.embedded.RedisServer;

/** Redis server of a test, on a free port of the loopback address, without persistence. */
public final class RedisTestServer implements AutoCloseable {

    private static final int SLOTS = 16_384;

    private final RedisServer server;
    private final int port;
    private ProcessHandle suspended;

    private RedisTestServer(int port, String... settings) throws IOException {
        this.port = port;
        var builder = RedisServer.newRedisServer().port(port).bind("127.0.0.1").setting("save \"\"")
                .setting("appendonly no");
        for (var setting : settings) {
            builder.setting(setting);
        }
        this.server = builder.build();
    }

    /** Starts a cluster of one node that serves all slots. */
    public static RedisTestServer startCluster() {
        try {
            var nodes = Files.createTempDirectory("redis");
            var redis = new RedisTestServer(FreePorts.next(), "cluster-enabled yes", "dir " + nodes,
                    "cluster-config-file nodes.conf");
            redis.server.start();
            for (int from = 0; from < SLOTS; from += SLOTS / 4) {
                redis.send("CLUSTER ADDSLOTS " + IntStream.range(from, from + SLOTS / 4).mapToObj(Integer::toString)
                        .collect(Collectors.joining(" ")));
            }
            return redis;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static RedisTestServer start() {
        return start(FreePorts.next());
    }

    public static RedisTestServer start(int port) {
        return start(port, new String[0]);
    }

    /** Starts a server that also listens on a Unix domain socket. */
    public static RedisTestServer startOnSocket(Path socket) {
        return start(FreePorts.next(), "unixsocket " + socket);
    }

    private static RedisTestServer start(int port, String... settings) {
        try {
            var redis = new RedisTestServer(port, settings);
            redis.server.start();
            return redis;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public int port() {
        return port;
    }

    public String url() {
        return "redis://127.0.0.1:" + port;
    }

    /** Sends one command without spaces in its arguments, and reads one line of the reply. */
    public String send(String command) {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream().write((command + "\r\n").getBytes(StandardCharsets.UTF_8));
            return new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8)).readLine();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Stops the server with SIGSTOP: it keeps its connections but does not reply. */
    public void suspend() {
        var process = ProcessHandle.of(pid()).orElseThrow();
        ProcessSignals.suspend(process);
        suspended = process;
    }

    /** Continues the server, which executes the commands that it has received meanwhile. No effect if it is not suspended. */
    public void resume() {
        if (suspended != null) {
            ProcessSignals.resume(suspended);
            suspended = null;
        }
    }

    private long pid() {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream().write("INFO server\r\n".getBytes(StandardCharsets.UTF_8));
            var lines = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
            var line = lines.readLine();
            while (!line.startsWith("process_id:")) {
                line = lines.readLine();
            }
            return Long.parseLong(line.substring(line.indexOf(':') + 1));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        resume();
        try {
            server.stop();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
