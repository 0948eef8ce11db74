package dev.sluice.service.log;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

import jakarta.annotation.Priority;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;

import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;
import org.jboss.logging.MDC;

import dev.sluice.service.config.ServiceConfig;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;

/**
 * Writes the lines of the access log and the audit log on a thread of its own: a log handler may block, an event loop must not.
 * Lines that it cannot write in time are dropped and counted; the memory that they take is bounded. Thread-safe.
 */
@Singleton
class LogLineWriter {

    static final String DROPPED = "rate_limit_log_dropped";

    /** Maximum number of lines that wait. */
    private static final int CAPACITY = 10_000;
    /** Places that lines of the access log leave to those of the audit log. */
    private static final int RESERVED = 1_000;
    private static final long FLUSH_MILLIS = 5_000;

    private record Line(Logger logger, String summary, LogFields fields) {
    }

    private final BlockingQueue<Line> queue = new ArrayBlockingQueue<>(CAPACITY);
    private final boolean enabled;
    private final boolean json;
    private final Counter droppedAccess;
    private final Counter droppedAudit;
    private volatile boolean stopping;
    private Thread thread;

    /** @param json whether the fields of a line are members of its {@code mdc}, instead of its message */
    LogLineWriter(ServiceConfig settings, MeterRegistry registry,
            @ConfigProperty(name = "quarkus.log.console.json.enabled", defaultValue = "false") boolean json) {
        this.enabled = settings.accessLog() || settings.auditLog();
        this.json = json;
        this.droppedAccess = dropped(registry, "access");
        this.droppedAudit = dropped(registry, "audit");
    }

    private static Counter dropped(MeterRegistry registry, String log) {
        return Counter.builder(DROPPED).tag("log", log)
                .description(
                        "Lines of the access log and the audit log that were dropped, because they could not be written in time")
                .register(registry);
    }

    /** Early: requests may be served as soon as the port is open. */
    void start(@Observes @Priority(10) StartupEvent started) {
        if (enabled) {
            thread = new Thread(this::run, "sluice-log");
            thread.setDaemon(true);
            thread.start();
        }
    }

    /** Writes what is left. Late: the last requests have ended. */
    void stop(@Observes @Priority(5000) ShutdownEvent stopping) throws InterruptedException {
        this.stopping = true;
        if (thread != null) {
            thread.interrupt();
            thread.join(FLUSH_MILLIS);
        }
    }

    /** @param summary message of a line whose fields are members of its own */
    void writeAccess(Logger logger, String summary, LogFields fields) {
        if (queue.remainingCapacity() <= RESERVED || !queue.offer(new Line(logger, summary, fields))) {
            droppedAccess.increment();
        }
    }

    /** @param summary message of a line whose fields are members of its own */
    void writeAudit(Logger logger, String summary, LogFields fields) {
        if (!queue.offer(new Line(logger, summary, fields))) {
            droppedAudit.increment();
        }
    }

    private void run() {
        while (true) {
            Line line;
            try {
                line = stopping ? queue.poll() : queue.poll(1, TimeUnit.HOURS);
            } catch (InterruptedException e) {
                continue; // stopping
            }
            if (line != null) {
                log(line);
            } else if (stopping) {
                return;
            }
        }
    }

    private void log(Line line) {
        if (!json) {
            line.logger().info(line.fields().text());
            return;
        }
        line.fields().values().forEach(MDC::put);
        try {
            line.logger().info(line.summary());
        } finally {
            MDC.clear();
        }
    }
}
