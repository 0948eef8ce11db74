package dev.sluice.service.dev;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;
import java.util.Optional;
import java.util.jar.JarFile;

import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

import dev.sluice.redis.RedisConnectionConfig;
import dev.sluice.service.config.RedisHostsFromEnvironment;
import dev.sluice.service.edge.SecurityHeaders;
import io.quarkus.arc.profile.IfBuildProfile;
import io.quarkus.runtime.StartupEvent;
import io.smallrye.common.annotation.Identifier;
import io.vertx.ext.web.Router;

/**
 * Starts a Redis server in dev mode if none is listening, from the jar that the tests use; and removes security headers from
 * the dev pages of Quarkus, which contain scripts.
 */
@IfBuildProfile("dev")
@ApplicationScoped
class DevRedis {

    private static final Logger LOG = Logger.getLogger("dev.sluice");
    private static final int CONNECT_MILLIS = 500;
    private static final Path FOLDER = Path.of("target", "dev-redis");
    /** After {@code RequestFramingGuard}. */
    private static final int ORDER = -900;

    private final RedisConnectionConfig redis;
    private final RedisHostsFromEnvironment location;
    private final Optional<String> jar;

    DevRedis(RedisConnectionConfig redis, @Identifier("sluice") RedisHostsFromEnvironment location,
            @ConfigProperty(name = "sluice.dev.redis-jar") Optional<String> jar) {
        this.redis = redis;
        this.location = location;
        this.jar = jar;
    }

    void register(@Observes Router router) {
        for (var pages : new String[]{"/q/swagger-ui*", "/q/dev*"}) {
            router.route(pages).order(ORDER).handler(context -> {
                SecurityHeaders.remove(context.response().headers());
                context.next();
            });
        }
    }

    void start(@Observes @Priority(1) StartupEvent started) {
        if (!redis.enabled() || jar.isEmpty()) {
            return;
        }
        for (var uri : location.getHosts()) {
            if (!InetAddress.getLoopbackAddress().getHostAddress().equals(uri.getHost()) && !"localhost".equals(uri.getHost())
                    || isListening(uri.getPort())) {
                return;
            }
            start(uri.getPort());
        }
    }

    private static boolean isListening(int port) {
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), CONNECT_MILLIS);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private void start(int port) {
        try {
            var server = unpack();
            if (server.isEmpty()) {
                LOG.warn("No bundled Redis server for this platform; windows are kept in memory");
                return;
            }
            var process = new ProcessBuilder(server.get().toString(), "--port", Integer.toString(port), "--bind", "127.0.0.1",
                    "--save", "", "--appendonly", "no").directory(server.get().getParent().toFile())
                    .redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
            Runtime.getRuntime().addShutdownHook(new Thread(process::destroy, "dev-redis"));
            LOG.infof("Started a Redis server for dev mode port=%d", port);
        } catch (IOException e) {
            LOG.warnf("Redis server could not be started (%s); windows are kept in memory", e.getMessage());
        }
    }

    private Optional<Path> unpack() throws IOException {
        try (var archive = new JarFile(jar.orElseThrow())) {
            var entry = archive.stream()
                    .filter(file -> file.getName().startsWith("redis-server-") && matchesPlatform(file.getName()))
                    .findFirst();
            if (entry.isEmpty()) {
                return Optional.empty();
            }
            // Stays for the next start; in the build folder, it does not outlive the project.
            var server = Files.createDirectories(FOLDER).resolve(entry.get().getName()).toAbsolutePath();
            if (!Files.exists(server) || Files.size(server) != entry.get().getSize()) {
                try (var content = archive.getInputStream(entry.get())) {
                    Files.copy(content, server, StandardCopyOption.REPLACE_EXISTING);
                }
            }
            if (!server.toFile().setExecutable(true)) {
                throw new IOException(server + " cannot be made executable");
            }
            return Optional.of(server);
        }
    }

    private static boolean matchesPlatform(String name) {
        var system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        var os = system.startsWith("windows") ? "windows" : system.startsWith("mac") ? "darwin" : "linux";
        var cpu = System.getProperty("os.arch").equals("aarch64") ? "arm64" : "amd64";
        return name.contains('-' + os + '-' + cpu);
    }
}
