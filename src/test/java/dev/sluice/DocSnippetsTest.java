package dev.sluice;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import javax.tools.DiagnosticCollector;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Compiles the Java snippets of the documentation as they are printed: as members of a class. Types of Sluice are imported by a
 * snippet of the page, before they are used; all other imports are here.
 */
class DocSnippetsTest {

    private static final Pattern SNIPPET = Pattern.compile("^```java\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL);
    private static final Pattern IMPORT = Pattern.compile("^import [\\w.*]+;.*\n", Pattern.MULTILINE);
    private static final Pattern TYPE = Pattern.compile("\\s*(@.+\\s+)*(public )?(class|interface|record|enum) ");
    private static final Path EXAMPLE_TESTS = Path.of("examples/quarkus-app/src/test/java/org/example/reports");
    private static final String IMPORTS = """
            import static io.restassured.RestAssured.get;
            import com.openai.client.OpenAIClient;
            import com.openai.models.chat.completions.ChatCompletionCreateParams;
            import io.quarkus.test.junit.*;
            import io.smallrye.common.annotation.Identifier;
            import io.smallrye.mutiny.*;
            import io.vertx.core.json.JsonObject;
            import io.vertx.ext.web.RoutingContext;
            import jakarta.enterprise.inject.Alternative;
            import jakarta.inject.*;
            import jakarta.ws.rs.*;
            import java.time.*;
            import java.util.*;
            import org.eclipse.microprofile.rest.client.annotation.RegisterProvider;
            import org.eclipse.microprofile.rest.client.inject.*;
            import org.junit.jupiter.api.*;
            """;
    /** Types that the snippets take from their application. */
    private static final String APPLICATION = """
            interface Report { }
            interface Reports { Uni<Report> create(String id); }
            Reports reports;
            OpenAIClient openAi;
            """;

    @TempDir
    private Path classes;

    private static List<String> snippets(String page) throws IOException {
        return SNIPPET.matcher(Files.readString(Path.of(page))).results().map(found -> found.group(1)).toList();
    }

    @ParameterizedTest
    @CsvSource({"README.md, 1", "docs/library.md, 9", "docs/testing.md, 6"})
    void snippetsCompileAsPrinted(String page, int atLeast) throws IOException {
        var snippets = snippets(page);
        assertThat(snippets).hasSizeGreaterThanOrEqualTo(atLeast).noneMatch(snippet -> snippet.contains("…"));
        var imports = new LinkedHashSet<String>();
        var members = new StringBuilder(APPLICATION);
        var previous = "Object";
        for (var snippet : snippets) {
            IMPORT.matcher(snippet).results().forEach(line -> imports.add(line.group()));
            var code = IMPORT.matcher(snippet).replaceAll("");
            if (TYPE.matcher(code).lookingAt()) {
                members.append(code);
            } else { // sees the fields of those before it
                var name = "After" + previous;
                members.append("class ").append(name).append(" extends ").append(previous).append(" {\n").append(code)
                        .append("}\n");
                previous = name;
            }
        }
        assertThat(errors(IMPORTS + String.join("", imports) + "class Page {\n" + members + "}\n")).isEmpty();
    }

    private List<String> errors(String source) {
        var file = new SimpleJavaFileObject(URI.create("memory:///Page.java"), JavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                return source;
            }
        };
        var problems = new DiagnosticCollector<JavaFileObject>();
        var classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        boolean compiled = ToolProvider.getSystemJavaCompiler().getTask(null, null, problems,
                List.of("-proc:none", "-d", classes.toString(), "-cp", classPath), null, List.of(file)).call();
        var errors = new ArrayList<String>();
        if (!compiled) {
            problems.getDiagnostics().forEach(problem -> errors.add(problem.toString()));
        }
        return errors;
    }

    /** The build runs them there. */
    @Test
    void snippetsAboutTestsAreThoseOfTheExample() throws IOException {
        var sources = new ArrayList<String>();
        try (Stream<Path> files = Files.list(EXAMPLE_TESTS)) {
            for (var file : files.toList()) {
                sources.add(unindented(Files.readString(file)));
            }
        }
        assertThat(snippets("docs/testing.md")).filteredOn(snippet -> !snippet.contains("DecisionMode"))
                .hasSizeGreaterThanOrEqualTo(5)
                .allSatisfy(snippet -> assertThat(sources).anyMatch(
                        source -> source.contains(unindented(IMPORT.matcher(snippet).replaceAll("")))));
    }

    private static String unindented(String code) {
        return code.strip().replaceAll("(?m)^ +", "");
    }
}
