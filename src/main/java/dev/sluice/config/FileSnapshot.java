package dev.sluice.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;

/** Content of a file at one time, or the reason why it could not be read. */
final class FileSnapshot {

    private static final int MAX_SIZE = 1 << 20;

    private final byte[] content;
    private final String problem;

    private FileSnapshot(byte[] content, String problem) {
        this.content = content;
        this.problem = problem;
    }

    static FileSnapshot capture(Path file) {
        try {
            if (Files.exists(file) && !Files.isRegularFile(file)) {
                return new FileSnapshot(null, "not a regular file");
            }
            try (var stream = Files.newInputStream(file)) {
                var bytes = stream.readNBytes(MAX_SIZE + 1);
                return bytes.length > MAX_SIZE
                        ? new FileSnapshot(null, "larger than 1 MB")
                        : new FileSnapshot(bytes, null);
            }
        } catch (NoSuchFileException e) {
            return new FileSnapshot(null, "no such file");
        } catch (IOException e) {
            return new FileSnapshot(null, "cannot be read: " + e.getClass().getSimpleName());
        }
    }

    /** Parses the content as a rules file. */
    RulesDocument parse(Path file) throws InvalidRulesFileException {
        if (problem != null) {
            throw new InvalidRulesFileException(problem);
        }
        return new RulesDocument(file.toString(), StrictYamlReader.read(content));
    }

    /** Parses the content as a YAML file that is written for another program. */
    RulesDocument parseForeign(Path file) throws InvalidRulesFileException {
        if (problem != null) {
            throw new InvalidRulesFileException(problem);
        }
        return new RulesDocument(file.toString(), StrictYamlReader.readForeign(content));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof FileSnapshot snapshot && Arrays.equals(content, snapshot.content)
                && Objects.equals(problem, snapshot.problem);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(content) + Objects.hashCode(problem);
    }
}
