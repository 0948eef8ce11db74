package dev.sluice.config;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

import jakarta.annotation.PreDestroy;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Event;
import jakarta.enterprise.event.Observes;

import org.jboss.logging.Logger;

import io.quarkus.runtime.StartupEvent;

/** The file of rows, if there is one: read at start, and watched from then on. */
@ApplicationScoped
public class RulesFile {

    private static final int MILLIS_BETWEEN_LOOKS = 500;
    private static final Logger LOG = Logger.getLogger("dev.sluice");

    private final Path path;
    private final RulesDocument atStart;
    private final String unreadable;
    private final RulesFileWatcher watch;
    private final Event<RulesChanged> everybody;
    private ScheduledExecutorService looking;

    RulesFile(RulesFileConfig settings, Event<RulesChanged> everybody) {
        this.everybody = everybody;
        path = settings.file().map(String::strip).filter(name -> !name.isEmpty()).map(Path::of).orElse(null);
        var content = RulesDocument.NONE;
        String problem = null;
        FileSnapshot look = null;
        if (path != null) {
            look = FileSnapshot.at(path);
            try {
                content = look.read(path);
            } catch (InvalidRulesFileException e) {
                problem = e.getMessage();
            }
        }
        atStart = content;
        unreadable = problem;
        watch = path == null ? null : new RulesFileWatcher(path, look, this::take);
    }

    /** What it said at start; nothing where there is no file, or none that can be read. */
    public RulesDocument atStart() {
        return atStart;
    }

    /** How it is with the file; nothing where none is named. */
    public Optional<RulesFileStatus> state() {
        return Optional.ofNullable(watch).map(RulesFileWatcher::state);
    }

    void validate(@Observes ConfigProblems problems) {
        if (unreadable != null) {
            problems.add("rate-limit.file", path.toString(), unreadable
                    + "; RATE_LIMIT_FILE names a YAML file of rows, tiers and keys");
        }
    }

    void start(@Observes @Priority(3000) StartupEvent started) {
        if (watch == null) {
            return;
        }
        looking = Executors.newSingleThreadScheduledExecutor(work -> {
            var thread = new Thread(work, "sluice-rows");
            thread.setDaemon(true);
            return thread;
        });
        looking.scheduleWithFixedDelay(this::look, MILLIS_BETWEEN_LOOKS, MILLIS_BETWEEN_LOOKS, TimeUnit.MILLISECONDS);
    }

    /** An executor ends what has thrown anything. */
    private void look() {
        try {
            watch.look();
        } catch (RuntimeException | Error e) {
            LOG.error("A look at the file of rows failed", e);
        }
    }

    @PreDestroy
    void stop() {
        if (looking != null) {
            looking.shutdownNow();
        }
    }

    private List<String> take(RulesDocument content) {
        var change = new RulesChanged(content);
        everybody.fire(change);
        if (change.problems().isEmpty()) {
            change.take();
        }
        return change.problems();
    }
}
