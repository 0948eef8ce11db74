package dev.sluice.dev;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.sluice.testing.FreePorts;

/**
 * Runs {@code quarkus:dev} on a copy of the project, changes a source and sends requests. Quarkus's harness for dev mode tests
 * (QuarkusDevModeTest) builds an application from single classes; it does not build this project.
 */
class LiveReloadCheck {

    private static final String SAMPLE = "src/main/java/dev/sluice/service/dev/DevSamples.java";
    private static final List<String> COPIED = List.of("pom.xml", "mvnw", ".mvn", "src/main", "src/build");

    private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final int port = FreePorts.next();
    private final int grpcPort = FreePorts.next();
    private final Path log = Path.of("target", "live-reload.log").toAbsolutePath();
    @TempDir
    private Path project;
    private Process devMode;

    @BeforeEach
    void start() throws IOException {
        for (var name : COPIED) {
            copy(Path.of(name), project.resolve(name));
        }
        var builder = new ProcessBuilder("./mvnw", "-B", "-ntp", "quarkus:dev", "-Ddebug=false").directory(project.toFile())
                .redirectErrorStream(true).redirectOutput(log.toFile())
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
        builder.environment().putAll(Map.of("QUARKUS_HTTP_PORT", Integer.toString(port), "QUARKUS_MANAGEMENT_PORT",
                Integer.toString(FreePorts.next()), "REDIS_PORT", Integer.toString(FreePorts.next()), "RATE_LIMIT_GRPC_PORT",
                Integer.toString(grpcPort)));
        devMode = builder.start();
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (var file : (Iterable<Path>) files::iterator) {
                var target = to.resolve(from.relativize(file).toString());
                if (Files.isDirectory(file)) {
                    Files.createDirectories(target);
                } else {
                    Files.createDirectories(target.getParent());
                    Files.copy(file, target, StandardCopyOption.COPY_ATTRIBUTES);
                }
            }
        }
    }

    @AfterEach
    void stop() {
        devMode.descendants().forEach(ProcessHandle::destroy);
        devMode.destroy();
        devMode.onExit().join();
    }

    /** Sends a request; the client reuses its connection. */
    private String sample() throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(URI.create("http://localhost:" + port + "/api/v1/campaigns"))
                .timeout(Duration.ofMinutes(5)).build();
        var response = client.send(request, BodyHandlers.ofString());
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return response.body();
    }

    private void awaitSample(String text) {
        Awaitility.await().atMost(Duration.ofMinutes(10)).pollInterval(Duration.ofSeconds(9))
                .ignoreExceptionsInstanceOf(IOException.class)
                .until(() -> {
                    assertThat(devMode.isAlive()).as("dev mode; see " + log).isTrue();
                    return sample().contains(text);
                });
    }

    private void change(String from, String to) throws IOException {
        var file = project.resolve(SAMPLE);
        Files.writeString(file, Files.readString(file).replace(from, to));
    }

    @Test
    void requestsAreAnsweredAfterLiveReloads() throws IOException {
        awaitSample("summer");
        change("\"summer\"", "\"autumn\"");
        awaitSample("autumn");
        change("\"autumn\"", "\"winter\"");
        awaitSample("winter");
        assertThat(Files.readString(log)).contains("Swagger UI http://localhost:" + port + "/q/swagger-ui")
                .doesNotContain("ClassCastException", "is in use");
        assertThat(Files.readString(log).split("gRPC: port " + grpcPort, -1)).as("opened by each start").hasSize(4);
    }
}
