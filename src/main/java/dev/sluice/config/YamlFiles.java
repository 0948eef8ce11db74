package dev.sluice.config;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * Contents of a YAML file of another program, or of all such files in a folder, at one time. In folders, names that begin with a dot
 * are skipped, as are the folders of a Kubernetes volume to which its links refer. Immutable.
 */
public final class YamlFiles {

    private static final int MAX_FILES = 1000;
    private static final int MAX_DEPTH = 8;

    private final Path path;
    private final Map<Path, FileSnapshot> files;
    /** Null if there is none. */
    private final String problem;

    private YamlFiles(Path path, Map<Path, FileSnapshot> files, String problem) {
        this.path = path;
        this.files = files;
        this.problem = problem;
    }

    /** Reads the file, or the files of the folder: those that end with {@code .yaml} or {@code .yml}. */
    public static YamlFiles read(Path path) {
        var files = new TreeMap<Path, FileSnapshot>();
        if (!Files.isDirectory(path)) {
            files.put(path, FileSnapshot.capture(path));
            return new YamlFiles(path, files, null);
        }
        try (var found = Files.walk(path, MAX_DEPTH, FileVisitOption.FOLLOW_LINKS)) {
            found.filter(file -> isYaml(path, file)).limit(MAX_FILES + 1L)
                    .forEach(file -> files.put(file, FileSnapshot.capture(file)));
        } catch (IOException | UncheckedIOException e) {
            return new YamlFiles(path, files, "cannot be read: " + e.getClass().getSimpleName());
        }
        return new YamlFiles(path, files, files.isEmpty()
                ? "a folder without files that end with .yaml or .yml"
                : files.size() > MAX_FILES ? "a folder with more than " + MAX_FILES + " YAML files" : null);
    }

    private static boolean isYaml(Path folder, Path file) {
        for (var name : folder.relativize(file)) {
            if (name.toString().startsWith(".")) {
                return false;
            }
        }
        var name = file.getFileName().toString();
        return (name.endsWith(".yaml") || name.endsWith(".yml"))
                && (Files.isRegularFile(file) || Files.isSymbolicLink(file) && !Files.exists(file)); // a link to nowhere is a mistake
    }

    /**
     * Parses all files.
     *
     * @param problems receives a line for each file that cannot be parsed, with file and line
     */
    public List<RulesDocument> parse(String property, ConfigProblems problems) {
        if (problem != null) {
            problems.add(property, path.toString(), problem);
            return List.of();
        }
        var documents = new ArrayList<RulesDocument>();
        files.forEach((file, snapshot) -> {
            try {
                documents.add(snapshot.parseForeign(file));
            } catch (InvalidRulesFileException e) {
                problems.add(property, file.toString(), e.getMessage());
            }
        });
        return documents;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof YamlFiles others && files.equals(others.files) && Objects.equals(problem, others.problem);
    }

    @Override
    public int hashCode() {
        return files.hashCode();
    }
}
