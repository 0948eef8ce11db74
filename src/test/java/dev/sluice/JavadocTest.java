package dev.sluice;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import javax.tools.DiagnosticCollector;
import javax.tools.JavaFileObject;
import javax.tools.ToolProvider;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The Javadoc of the public packages, which a release builds, has neither errors nor warnings. */
class JavadocTest {

    @Test
    void publicPackagesHaveValidJavadoc(@TempDir Path output) throws IOException {
        var sources = new ArrayList<File>();
        for (var name : List.of("api", "identity", "llm", "llm/client")) {
            try (var files = Files.list(Path.of("src/main/java/dev/sluice", name))) {
                files.filter(file -> file.toString().endsWith(".java")).map(Path::toFile).forEach(sources::add);
            }
        }
        var tool = ToolProvider.getSystemDocumentationTool();
        var problems = new DiagnosticCollector<JavaFileObject>();
        var classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        try (var files = tool.getStandardFileManager(null, null, null)) {
            boolean valid = tool.getTask(null, files, problems, null,
                    List.of("-Xdoclint:all,-missing", "-quiet", "-notimestamp", "-d", output.toString(), "-cp", classPath),
                    files.getJavaFileObjectsFromFiles(sources)).call();
            assertThat(problems.getDiagnostics()).isEmpty();
            assertThat(valid).isTrue();
        }
        assertThat(output.resolve("dev/sluice/api/RateLimiter.html")).isNotEmptyFile();
    }
}
