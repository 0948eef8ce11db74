package dev.sluice.file;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;

/** What a look at the file showed: its content, or why there is none. */
final class FileLook {

    private static final int MAX_SIZE = 1 << 20;

    private final byte[] content;
    private final String problem;

    private FileLook(byte[] content, String problem) {
        this.content = content;
        this.problem = problem;
    }

    static FileLook at(Path file) {
        try {
            if (Files.exists(file) && !Files.isRegularFile(file)) {
                return new FileLook(null, "it is no file");
            }
            try (var stream = Files.newInputStream(file)) {
                var bytes = stream.readNBytes(MAX_SIZE + 1);
                return bytes.length > MAX_SIZE ? new FileLook(null, "it is larger than 1 MB") : new FileLook(bytes, null);
            }
        } catch (NoSuchFileException e) {
            return new FileLook(null, "there is no such file");
        } catch (IOException e) {
            return new FileLook(null, "it cannot be read: " + e.getClass().getSimpleName());
        }
    }

    /** What it says. */
    FileContent read(Path file) throws UnreadableFileException {
        if (problem != null) {
            throw new UnreadableFileException(problem);
        }
        return new FileContent(file.toString(), FileYaml.read(content));
    }

    boolean sameAs(FileLook other) {
        return other != null && Arrays.equals(content, other.content) && Objects.equals(problem, other.problem);
    }
}
