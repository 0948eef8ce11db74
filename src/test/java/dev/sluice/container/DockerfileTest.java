package dev.sluice.container;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;

import io.vertx.core.json.JsonArray;

/** The image that is built from source. {@code PackagingIT} has the tests of the others. */
class DockerfileTest {

    private static final Path DIRECTORY = Path.of("src/main/docker");
    private static final String PACKAGE = "target/quarkus-app/";

    /** Returns the instructions of a Dockerfile, one per element, without comments. */
    private static List<String> instructions(String name) throws IOException {
        var text = Files.readString(DIRECTORY.resolve(name)).replaceAll("(?m)^#.*\n", "").replaceAll("\\\\\n\\s*", "");
        return text.lines().filter(line -> !line.isBlank()).toList();
    }

    private static List<String> buildStage() throws IOException {
        var all = instructions("Dockerfile");
        return all.subList(0, lastStage(all));
    }

    private static int lastStage(List<String> instructions) {
        return instructions.stream().map(line -> line.startsWith("FROM ")).toList().lastIndexOf(true);
    }

    @Test
    void imageIsThatOfAPackage() throws IOException {
        var fromSource = instructions("Dockerfile");
        assertThat(fromSource.subList(lastStage(fromSource), fromSource.size()))
                .map(line -> line.replace("--from=build ", "").replace("/build/" + PACKAGE, PACKAGE))
                .isEqualTo(instructions("Dockerfile.jvm"));
    }

    /** The variable is read by each JVM in the container, and some options exclude one another. */
    @Test
    void jvmAcceptsTheOptionsOfTheProgramAndOfTheHealthCheck() throws Exception {
        var image = instructions("Dockerfile.jvm");
        var variable = image.stream().filter(line -> line.startsWith("ENV JDK_JAVA_OPTIONS=")).findFirst().orElseThrow()
                .replaceFirst("^[^\"]*\"(.*)\"$", "$1");
        var commands = image.stream().filter(line -> line.contains("[\"java\"")).toList();
        assertThat(commands).hasSize(2);
        for (var command : commands) {
            var java = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
            java.addAll(new JsonArray(command.substring(command.indexOf('['))).stream().map(Object::toString).skip(1)
                    .takeWhile(word -> !word.equals("-jar")).toList());
            java.add("-version");
            var builder = new ProcessBuilder(java).redirectErrorStream(true);
            builder.environment().put("JDK_JAVA_OPTIONS", variable);
            var process = builder.start();
            var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor()).as(output).isZero();
            assertThat(output).contains(variable);
        }
    }

    @Test
    void buildNeedsNoPackage() throws IOException {
        assertThat(sources()).isNotEmpty().allMatch(Files::exists).noneMatch(source -> source.startsWith("target"));
        assertThat(buildStage()).filteredOn(line -> line.startsWith("FROM ")).singleElement().asString()
                .doesNotContain(":latest").contains("$BUILDPLATFORM", " AS build");
        assertThat(buildStage()).filteredOn(line -> line.startsWith("RUN ")).singleElement().asString()
                .contains("mvn -B -ntp package").contains("-Dmaven.test.skip=true");
    }

    /** The patterns of .dockerignore are a list of what is sent: all else, secrets and test data included, stays. */
    @Test
    void contextIsWhatTheDockerfilesCopy() throws IOException {
        var lines = Files.readAllLines(Path.of(".dockerignore")).stream().filter(line -> !line.startsWith("#")).toList();
        assertThat(lines.get(0)).isEqualTo("*");
        var sent = lines.subList(1, lines.size());
        assertThat(sent).allMatch(line -> line.startsWith("!"));
        for (var source : sources()) {
            assertThat(sent).as(source.toString()).anyMatch(line -> source.equals(Path.of(line.substring(1))));
        }
        for (var secret : new String[]{".env", "config/application.properties", ".git/config"}) {
            assertThat(sent).noneMatch(line -> FileSystems.getDefault()
                    .getPathMatcher("glob:" + line.substring(1).replaceAll("/$", "/**")).matches(Path.of(secret)));
        }
    }

    private static List<Path> sources() throws IOException {
        return buildStage().stream().filter(line -> line.startsWith("COPY ")).flatMap(line -> {
            var words = line.split(" ");
            return Stream.of(Arrays.copyOfRange(words, 1, words.length - 1));
        }).map(Path::of).toList();
    }
}
