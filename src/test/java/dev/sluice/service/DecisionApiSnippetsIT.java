package dev.sluice.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import dev.sluice.testing.Instance;

/** Runs the programs of docs/decision-api.md as they are printed, each if its language is installed, against a started service. */
class DecisionApiSnippetsIT {

    private static final String TOKEN = "api-secret";
    private static Instance sluice;

    @TempDir
    private Path directory;

    @BeforeAll
    static void start() {
        sluice = Instance.start(Map.of("REDIS_ENABLED", "false", "RATE_LIMIT_API_TOKEN", TOKEN));
    }

    @AfterAll
    static void stop() {
        sluice.close();
    }

    private static String snippet(String language) throws IOException {
        var page = Files.readString(Path.of("docs/decision-api.md"));
        var snippets = Pattern.compile("^```" + language + "\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL)
                .matcher(page.substring(page.indexOf("### From other languages")));
        assertThat(snippets.find()).as(language).isTrue();
        return snippets.group(1);
    }

    private static boolean isInstalled(String program) {
        return Arrays.stream(System.getenv("PATH").split(":")).anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
    }

    static Stream<Arguments> programs() {
        return Stream.of(Arguments.of("sh", "check.sh", List.of("sh"), "curl", ".* 200", ".*RATE_5001.* 429"),
                Arguments.of("python", "check.py", List.of("python3"), "python3", "\\(True, 0\\)", "\\(False, (60|59)\\)"),
                Arguments.of("js", "check.mjs", List.of("node"), "node", "\\{ allowed: true, retryAfter: 0 \\}",
                        "\\{ allowed: false, retryAfter: (60|59) \\}"),
                Arguments.of("go", "check.go", List.of("go", "run"), "go", "true 0s", "false (1m0s|59s)"));
    }

    @ParameterizedTest
    @MethodSource("programs")
    void programRunsAsPrinted(String language, String file, List<String> command, String needs, String allowed, String denied)
            throws Exception {
        assumeTrue(isInstalled(needs) && isInstalled(command.get(0)), needs + " is not installed");
        Files.writeString(directory.resolve(file), snippet(language));

        var output = run(command, file);

        assertThat(output.lines().map(line -> line.matches(allowed) ? "allowed" : line.matches(denied) ? "denied" : line))
                .containsExactly("allowed", "allowed", "allowed", "denied");
    }

    private String run(List<String> command, String file) throws IOException, InterruptedException {
        var log = directory.resolve("output");
        var builder = new ProcessBuilder(Stream.concat(command.stream(), Stream.of(file)).toList())
                .directory(directory.toFile()).redirectErrorStream(true).redirectOutput(log.toFile());
        builder.environment().putAll(Map.of("SLUICE_URL", "http://127.0.0.1:" + sluice.port(), "SLUICE_TOKEN", TOKEN));
        var process = builder.start();
        try {
            assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
            return Files.readString(log, StandardCharsets.UTF_8);
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void serviceDoesNotReportItselfAsALibrary() {
        assertThat(sluice.log()).contains("Sluice").doesNotContain("this application");
    }
}
