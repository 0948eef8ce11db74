package org.example.reports;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import redis.embedded.RedisServer;

public class OwnRedis implements QuarkusTestResourceLifecycleManager {

    /** The application's log. */
    static final Path LOG = Path.of("target", "application.log");

    private RedisServer server;

    @Override
    public Map<String, String> start() {
        try {
            Files.deleteIfExists(LOG);
            int port;
            try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                port = socket.getLocalPort();
            }
            server = RedisServer.newRedisServer().port(port).bind("127.0.0.1").setting("save \"\"").setting("requirepass secret").build();
            server.start();
            return Map.of("quarkus.redis.hosts", "redis://:secret@127.0.0.1:" + port, "rate-limit.timeout", "10s",
                    "quarkus.log.file.enabled", "true", "quarkus.log.file.path", LOG.toString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void stop() {
        try {
            server.stop();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
