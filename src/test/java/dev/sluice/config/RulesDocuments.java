package dev.sluice.config;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/** Rules files for tests. */
public final class RulesDocuments {

    private RulesDocuments() {
    }

    /** Returns the content of a file {@code rows.yaml}. */
    public static RulesDocument of(String yaml) {
        try {
            return new RulesDocument("rows.yaml", StrictYamlReader.read(yaml.getBytes(StandardCharsets.UTF_8)));
        } catch (InvalidRulesFileException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }

    /** Returns the content of a file {@code envoy.yaml} of another program. */
    public static RulesDocument foreign(String yaml) {
        try {
            return new RulesDocument("envoy.yaml", StrictYamlReader.readForeign(yaml.getBytes(StandardCharsets.UTF_8)));
        } catch (InvalidRulesFileException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }

    /** Returns why a file of another program cannot be read. */
    public static String foreignProblem(String yaml) {
        try {
            StrictYamlReader.readForeign(yaml.getBytes(StandardCharsets.UTF_8));
            return "no problem";
        } catch (InvalidRulesFileException e) {
            return e.getMessage();
        }
    }

    /** Returns the rules file of docs/api-gateway.md. */
    public static RulesDocument readme() throws IOException {
        var example = Pattern.compile("```yaml\n(tiers:.*?)```", Pattern.DOTALL)
                .matcher(Files.readString(Path.of("docs/api-gateway.md")));
        if (!example.find()) {
            throw new IllegalStateException("docs/api-gateway.md has no rules file");
        }
        return of(example.group(1));
    }

    /** Fires a change to an observer; returns its problems. */
    public static List<String> problems(RulesDocument document, Consumer<RulesChanged> observer) {
        var change = new RulesChanged(document);
        observer.accept(change);
        if (change.problems().isEmpty()) {
            change.apply();
        }
        return change.problems();
    }
}
