package dev.sluice.config;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.function.Function;

import org.jboss.logging.Logger;

/**
 * Looks at the file again and again, and at its content: notices of the file system do not tell of a Kubernetes volume whose
 * links are swapped, nor of a network's. What two looks in a row show alike is taken; so a file is not taken half written.
 */
final class RulesFileWatcher {

    private static final Logger LOG = Logger.getLogger("dev.sluice");
    private static final int MAX_LOGGED_PROBLEMS = 50;

    private final Path file;
    private final Function<RulesDocument, List<String>> applier;
    private FileSnapshot processed;
    private FileSnapshot candidate;
    private volatile RulesFileStatus status;

    /** @param applier puts a content in force, or says what is wrong with it */
    RulesFileWatcher(Path file, FileSnapshot initial, Function<RulesDocument, List<String>> applier) {
        this.file = file;
        this.processed = initial;
        this.applier = applier;
        this.status = new RulesFileStatus(true, Instant.now(), null);
    }

    RulesFileStatus status() {
        return status;
    }

    /** Looks once. */
    void poll() {
        var snapshot = FileSnapshot.capture(file);
        if (snapshot.sameAs(processed)) {
            candidate = null;
        } else if (snapshot.sameAs(candidate)) {
            processed = snapshot;
            candidate = null;
            process(snapshot);
        } else {
            candidate = snapshot;
        }
    }

    private void process(FileSnapshot snapshot) {
        var problems = apply(snapshot);
        if (problems.isEmpty()) {
            status = new RulesFileStatus(true, Instant.now(), null);
            LOG.infof("The rows of %s have changed, and are in force", file);
            return;
        }
        status = new RulesFileStatus(false, Instant.now(), problems.get(0));
        problems.stream().limit(MAX_LOGGED_PROBLEMS)
                .forEach(problem -> LOG.warnf("The rows of %s are not taken, those before stay: %s", file, problem));
        if (problems.size() > MAX_LOGGED_PROBLEMS) {
            LOG.warnf("The rows of %s: %d more of these", file, problems.size() - MAX_LOGGED_PROBLEMS);
        }
    }

    private List<String> apply(FileSnapshot snapshot) {
        try {
            return applier.apply(snapshot.parse(file));
        } catch (InvalidRulesFileException e) {
            return List.of(e.getMessage());
        } catch (RuntimeException | Error e) { // the watch goes on
            LOG.error("A fault of Sluice's own with the file of rows", e);
            return List.of("a fault of Sluice's own: " + e.getClass().getSimpleName());
        }
    }
}
