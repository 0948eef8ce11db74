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

/** Optional rules file, which is read at start and polled for changes afterwards. */
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

    /** Returns the content at start; empty if no file is configured or it is invalid. */
    public RulesDocument initialDocument() {
        return initialDocument;
    }

    /** Returns the status of the file; empty if none is configured. */
    public Optional<RulesFileStatus> status() {
        return Optional.ofNullable(watcher).map(RulesFileWatcher::status);
    }

    void validate(@Observes ConfigProblems problems) {
        if (initialProblem != null) {
            problems.add("rate-limit.file", path.toString(), initialProblem
                    + "; RATE_LIMIT_FILE must name a YAML file of rules, tiers and API keys");
        }
    }

    void start(@Observes @Priority(3000) StartupEvent started) {
        if (watcher == null) {
            return;
        }
        executor = Executors.newSingleThreadScheduledExecutor(task -> {
            var thread = new Thread(task, "sluice-rules-file");
            thread.setDaemon(true);
            return thread;
        });
        executor.scheduleWithFixedDelay(this::poll, POLL_INTERVAL_MILLIS, POLL_INTERVAL_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** Catches everything: an executor cancels a periodic task that throws. */
    private void poll() {
        try {
            watcher.poll();
        } catch (RuntimeException | Error e) {
            LOG.error("Polling the rules file failed", e);
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
