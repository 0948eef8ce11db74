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
    private static final int MAX_LINES = 50;

    private final Path file;
    private final Function<RulesDocument, List<String>> taker;
    private FileSnapshot handled;
    private FileSnapshot seen;
    private volatile RulesFileStatus state;

    /** @param taker puts a content in force, or says what is wrong with it */
    RulesFileWatcher(Path file, FileSnapshot first, Function<RulesDocument, List<String>> taker) {
        this.file = file;
        this.handled = first;
        this.taker = taker;
        this.state = new RulesFileStatus(true, Instant.now(), null);
    }

    RulesFileStatus state() {
        return state;
    }

    /** Looks once. */
    void look() {
        var look = FileSnapshot.at(file);
        if (look.sameAs(handled)) {
            seen = null;
        } else if (look.sameAs(seen)) {
            handled = look;
            seen = null;
            handle(look);
        } else {
            seen = look;
        }
    }

    private void handle(FileSnapshot look) {
        var problems = problems(look);
        if (problems.isEmpty()) {
            state = new RulesFileStatus(true, Instant.now(), null);
            LOG.infof("The rows of %s have changed, and are in force", file);
            return;
        }
        state = new RulesFileStatus(false, Instant.now(), problems.get(0));
        problems.stream().limit(MAX_LINES)
                .forEach(problem -> LOG.warnf("The rows of %s are not taken, those before stay: %s", file, problem));
        if (problems.size() > MAX_LINES) {
            LOG.warnf("The rows of %s: %d more of these", file, problems.size() - MAX_LINES);
        }
    }

    private List<String> problems(FileSnapshot look) {
        try {
            return taker.apply(look.read(file));
        } catch (InvalidRulesFileException e) {
            return List.of(e.getMessage());
        } catch (RuntimeException | Error e) { // the watch goes on
            LOG.error("A fault of Sluice's own with the file of rows", e);
            return List.of("a fault of Sluice's own: " + e.getClass().getSimpleName());
        }
    }
}
