package dev.sluice.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import com.fasterxml.jackson.databind.ObjectMapper;

import dev.sluice.testing.Instance;

/** Contents of the package and of its build files: SBOM and Dockerfiles. */
@Execution(ExecutionMode.CONCURRENT)
class PackagingIT {

    private static final Path APP = Path.of("target/quarkus-app");

    @Test
    void sbomContainsEveryLibrary() throws IOException {
        assumeTrue(jvm());
        var components = new ObjectMapper().readTree(Path.of("target/quarkus-run-cyclonedx.json").toFile()).get("components");
        var listed = StreamSupport.stream(components.spliterator(), false)
                .map(component -> component.path("group").asText() + '.' + component.path("name").asText() + '-'
                        + component.path("version").asText() + ".jar")
                .collect(Collectors.toSet());
        try (var libraries = Files.list(APP.resolve("lib/main"))) {
            assertThat(libraries.map(library -> library.getFileName().toString())).hasSizeGreaterThan(100)
                    .filteredOn(library -> !library.contains("-linux-")).isSubsetOf(listed);
        }
        assertThat(listed).as("whose files the console serves")
                .anyMatch(library -> library.startsWith("org.webjars.npm.uplot-"));
    }

    /** Unused libraries are left out by quarkus.class-loading.removed-artifacts and the exclusions in pom.xml. */
    @Test
    void packageContainsNoUnusedProtocols() throws IOException {
        assumeTrue(jvm());
        try (var libraries = Files.list(APP.resolve("lib/main"))) {
            assertThat(libraries.map(library -> library.getFileName().toString())).noneMatch(
                    library -> library
                            .matches(".*(uplot|grpc-netty|vertx-grpc-4|brotli4j|haproxy|socks|codec-dns).*"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"jvm", "native"})
    void imagesRunAsNumericUserWithoutShell(String kind) throws IOException {
        var dockerfile = instructions(kind);
        assertThat(dockerfile).contains("USER 1001", "EXPOSE 8080 9000", "STOPSIGNAL SIGTERM");
        assertThat(dockerfile).noneMatch(line -> line.startsWith("RUN "));
        assertThat(dockerfile).filteredOn(line -> line.startsWith("ENTRYPOINT ") || line.contains(" CMD ")).hasSize(2)
                .allMatch(line -> line.endsWith("]")).anyMatch(line -> line.contains("\"health\""));
        assertThat(dockerfile).filteredOn(line -> line.startsWith("FROM ")).hasSize(1)
                .noneMatch(line -> line.endsWith(":latest"));
    }

    @Test
    void imageContainsTheWholePackage() throws IOException {
        assumeTrue(jvm());
        var copied = instructions("jvm").stream().filter(line -> line.startsWith("COPY "))
                .flatMap(line -> Arrays.stream(line.split(" ")).filter(word -> word.startsWith("target/"))).map(Path::of)
                .toList();
        assertThat(copied).allMatch(Files::exists);
        try (var files = Files.walk(APP)) {
            assertThat(files.filter(Files::isRegularFile)).isNotEmpty()
                    .allMatch(file -> copied.stream().anyMatch(file::startsWith));
        }
        assertThat(Files.readAllLines(Path.of(".dockerignore"))).contains("*", "!target/quarkus-app/", "!target/*-runner");
    }

    @Test
    void healthArgumentReportsLiveness() throws Exception {
        var sluice = Instance.start(Map.of("REDIS_ENABLED", "false"));
        try {
            assertThat(sluice.run("health")).isZero();
        } finally {
            sluice.close();
        }
        assertThat(sluice.run("health")).isEqualTo(1);
    }

    private static boolean jvm() {
        return System.getProperty("native.image.path") == null;
    }

    /** Returns the instructions of a Dockerfile, one per element, without comments. */
    private static List<String> instructions(String kind) throws IOException {
        var text = Files.readString(Path.of("src/main/docker/Dockerfile." + kind)).replaceAll("\\\\\n\\s*", "");
        return Stream.of(text.split("\n")).filter(line -> !line.isBlank() && !line.startsWith("#")).toList();
    }
}
