package dev.sluice.file;

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

import dev.sluice.limit.SettingsProblems;
import io.quarkus.runtime.StartupEvent;

/** The file of rows, if there is one: read at start, and watched from then on. */
@ApplicationScoped
public class RowsFile {

    private static final int MILLIS_BETWEEN_LOOKS = 500;
    private static final Logger LOG = Logger.getLogger("dev.sluice");

    private final Path path;
    private final FileContent atStart;
    private final String unreadable;
    private final FileWatch watch;
    private final Event<FileChange> everybody;
    private ScheduledExecutorService looking;

    RowsFile(FileSettings settings, Event<FileChange> everybody) {
        this.everybody = everybody;
        path = settings.file().map(String::strip).filter(name -> !name.isEmpty()).map(Path::of).orElse(null);
        var content = FileContent.NONE;
        String problem = null;
        FileLook look = null;
        if (path != null) {
            look = FileLook.at(path);
            try {
                content = look.read(path);
            } catch (UnreadableFileException e) {
                problem = e.getMessage();
            }
        }
        atStart = content;
        unreadable = problem;
        watch = path == null ? null : new FileWatch(path, look, this::take);
    }

    /** What it said at start; nothing where there is no file, or none that can be read. */
    public FileContent atStart() {
        return atStart;
    }

    /** How it is with the file; nothing where none is named. */
    public Optional<FileState> state() {
        return Optional.ofNullable(watch).map(FileWatch::state);
    }

    void validate(@Observes SettingsProblems problems) {
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

    private List<String> take(FileContent content) {
        var change = new FileChange(content);
        everybody.fire(change);
        if (change.problems().isEmpty()) {
            change.take();
        }
        return change.problems();
    }
}
