package dev.sluice.config;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.function.Function;

import org.jboss.logging.Logger;

/**
 * Polls the content of the rules file. File system notifications would miss swapped links of a Kubernetes volume and changes
 * on a network file system. Content is applied once two consecutive polls have read the same.
 */
final class RulesFileWatcher {

    private static final Logger LOG = Logger.getLogger("dev.sluice");
    private static final int MAX_LOGGED_PROBLEMS = 50;

    private final Path file;
    private final Function<RulesDocument, List<String>> applier;
    private final StableChange<FileSnapshot> change;
    private volatile RulesFileStatus status;

    /** @param applier applies a document, or returns its problems */
    RulesFileWatcher(Path file, FileSnapshot initial, Function<RulesDocument, List<String>> applier) {
        this.file = file;
        this.change = new StableChange<>(initial);
        this.applier = applier;
        this.status = new RulesFileStatus(true, Instant.now(), null);
    }

    RulesFileStatus status() {
        return status;
    }

    void poll() {
        var snapshot = FileSnapshot.capture(file);
        if (change.poll(snapshot)) {
            process(snapshot);
        }
    }

    private void process(FileSnapshot snapshot) {
        var problems = apply(snapshot);
        if (problems.isEmpty()) {
            status = new RulesFileStatus(true, Instant.now(), null);
            LOG.infof("Rules file reloaded: file=%s", file);
            return;
        }
        status = new RulesFileStatus(false, Instant.now(), problems.get(0));
        problems.stream().limit(MAX_LOGGED_PROBLEMS)
                .forEach(problem -> LOG.warnf("Rules file rejected, the last valid one stays in force: file=%s, problem=%s",
                        file, problem));
        if (problems.size() > MAX_LOGGED_PROBLEMS) {
            LOG.warnf("Rules file rejected: file=%s, furtherProblems=%d", file, problems.size() - MAX_LOGGED_PROBLEMS);
        }
    }

    private List<String> apply(FileSnapshot snapshot) {
        try {
            return applier.apply(snapshot.parse(file));
        } catch (InvalidRulesFileException e) {
            return List.of(e.getMessage());
        } catch (RuntimeException | Error e) { // polling continues
            LOG.error("Internal error while applying the rules file", e);
            return List.of("internal error: " + e.getClass().getSimpleName());
        }
    }
}
