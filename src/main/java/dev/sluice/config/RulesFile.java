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

    private static final int POLL_INTERVAL_MILLIS = 500;
    private static final Logger LOG = Logger.getLogger("dev.sluice");

    private final Path path;
    private final RulesDocument initialDocument;
    private final String initialProblem;
    private final RulesFileWatcher watcher;
    private final Event<RulesChanged> rulesChangedEvent;
    private ScheduledExecutorService executor;

    RulesFile(RulesFileConfig settings, Event<RulesChanged> rulesChangedEvent) {
        this.rulesChangedEvent = rulesChangedEvent;
        path = settings.file().map(String::strip).filter(name -> !name.isEmpty()).map(Path::of).orElse(null);
        var document = RulesDocument.EMPTY;
        String problem = null;
        FileSnapshot snapshot = null;
        if (path != null) {
            snapshot = FileSnapshot.capture(path);
            try {
                document = snapshot.parse(path);
            } catch (InvalidRulesFileException e) {
                problem = e.getMessage();
            }
        }
        initialDocument = document;
        initialProblem = problem;
        watcher = path == null ? null : new RulesFileWatcher(path, snapshot, this::apply);
    }

    /** What it said at start; nothing where there is no file, or none that can be read. */
    public RulesDocument initialDocument() {
        return initialDocument;
    }

    /** How it is with the file; nothing where none is named. */
    public Optional<RulesFileStatus> status() {
        return Optional.ofNullable(watcher).map(RulesFileWatcher::status);
    }

    void validate(@Observes ConfigProblems problems) {
        if (initialProblem != null) {
            problems.add("rate-limit.file", path.toString(), initialProblem
                    + "; RATE_LIMIT_FILE names a YAML file of rows, tiers and keys");
        }
    }

    void start(@Observes @Priority(3000) StartupEvent started) {
        if (watcher == null) {
            return;
        }
        executor = Executors.newSingleThreadScheduledExecutor(task -> {
            var thread = new Thread(task, "sluice-rows");
            thread.setDaemon(true);
            return thread;
        });
        executor.scheduleWithFixedDelay(this::poll, POLL_INTERVAL_MILLIS, POLL_INTERVAL_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** An executor ends what has thrown anything. */
    private void poll() {
        try {
            watcher.poll();
        } catch (RuntimeException | Error e) {
            LOG.error("A look at the file of rows failed", e);
        }
    }

    @PreDestroy
    void stop() {
        if (executor != null) {
            executor.shutdownNow();
        }
    }

    private List<String> apply(RulesDocument document) {
        var change = new RulesChanged(document);
        rulesChangedEvent.fire(change);
        if (change.problems().isEmpty()) {
            change.apply();
        }
        return change.problems();
    }
}
