package dev.sluice.file;

import java.nio.charset.StandardCharsets;
import java.util.List;

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

    /** The problems that an observer of changes finds with a content. */
    public static List<String> problems(FileContent content, java.util.function.Consumer<FileChange> observer) {
        var change = new FileChange(content);
        observer.accept(change);
        if (change.problems().isEmpty()) {
            change.take();
        }
        return change.problems();
    }
}
