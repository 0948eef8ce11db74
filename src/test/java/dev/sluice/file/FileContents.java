package dev.sluice.file;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/** Files of rows, for tests. */
public final class FileContents {

    private FileContents() {
    }

    /** The content of a file {@code rows.yaml}. */
    public static FileContent of(String yaml) {
        try {
            return new FileContent("rows.yaml", FileYaml.read(yaml.getBytes(StandardCharsets.UTF_8)));
        } catch (UnreadableFileException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }

    /** The rules file of docs/api-gateway.md. */
    public static FileContent readme() throws IOException {
        var example = Pattern.compile("```yaml\n(tiers:.*?)```", Pattern.DOTALL)
                .matcher(Files.readString(Path.of("docs/api-gateway.md")));
        if (!example.find()) {
            throw new IllegalStateException("docs/api-gateway.md has no rules file");
        }
        return of(example.group(1));
    }

    /** The problems that an observer of changes finds with a content. */
    public static List<String> problems(FileContent content, Consumer<FileChange> observer) {
        var change = new FileChange(content);
        observer.accept(change);
        if (change.problems().isEmpty()) {
            change.take();
        }
        return change.problems();
    }
}
