package dev.sluice.metrics;

import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

import jakarta.annotation.Priority;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;

import org.jboss.logging.Logger;

import com.sun.management.OperatingSystemMXBean;

import dev.sluice.engine.StoreConfig;
import dev.sluice.redis.EventLoops;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.ScheduledFuture;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.vertx.core.Vertx;

/**
 * Reports stalls of the event loops: times in which a loop did not run although it had work. A stall that is longer than the
 * timeout for Redis is logged with what the JVM can tell of its cause, so that it is not taken for an outage of Redis.
 */
@Singleton
class EventLoopMonitor {

    static final String STALL = "rate_limit_event_loop_stall";

    private static final Logger LOG = Logger.getLogger("dev.sluice");
    private static final long PERIOD_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    /** Shorter ones are what handling some requests takes. */
    private static final long LEAST_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
    /** At most one line in this time. */
    private static final long LINE_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final Duration[] BUCKETS = {Duration.ofMillis(10), Duration.ofMillis(25), Duration.ofMillis(50),
            Duration.ofMillis(100), Duration.ofMillis(250), Duration.ofMillis(500), Duration.ofSeconds(1),
            Duration.ofSeconds(5)};

    private final Timer stalls;
    private final long timeoutNanos;
    private final Vertx vertx;
    private final List<GarbageCollectorMXBean> collectors = ManagementFactory.getGarbageCollectorMXBeans();
    private final AtomicLong lastLine = new AtomicLong(System.nanoTime() - LINE_NANOS);
    private List<ScheduledFuture<?>> watches = List.of();

    EventLoopMonitor(MeterRegistry registry, StoreConfig settings, Vertx vertx) {
        this.vertx = vertx;
        this.timeoutNanos = settings.timeout().toNanos();
        this.stalls = Timer.builder(STALL)
                .description("Time that an event loop of this instance did not run although it had work")
                .serviceLevelObjectives(BUCKETS).register(registry);
    }

    /** After the warm-up, which loads classes on the event loops. */
    void start(@Observes @Priority(3000) StartupEvent started) {
        var loops = new ArrayList<ScheduledFuture<?>>();
        for (EventExecutor loop : EventLoops.group(vertx)) {
            loops.add(loop.scheduleWithFixedDelay(new Watch(), PERIOD_NANOS, PERIOD_NANOS, TimeUnit.NANOSECONDS));
        }
        watches = loops;
    }

    void stop(@Observes ShutdownEvent stopping) {
        watches.forEach(watch -> watch.cancel(false));
    }

    /** Looks at one event loop whether it runs when it should. */
    private final class Watch implements Runnable {

        private long last = System.nanoTime();
        private long collected = collectedMillis();
        private long computed = computedNanos();

        @Override
        public void run() {
            long now = System.nanoTime();
            long stall = now - last - PERIOD_NANOS;
            last = now;
            if (stall >= LEAST_NANOS) {
                stalls.record(stall, TimeUnit.NANOSECONDS);
            }
            long collecting = collectedMillis();
            long computing = computedNanos();
            if (stall >= timeoutNanos) {
                log(stall, collecting - collected, computed < 0 ? -1 : computing - computed);
            }
            collected = collecting;
            computed = computing;
        }
    }

    private void log(long stall, long collecting, long computing) {
        long now = System.nanoTime();
        long before = lastLine.get();
        if (now - before >= LINE_NANOS && lastLine.compareAndSet(before, now)) {
            LOG.infof(
                    "This instance was held up, and not Redis: an event loop did not run for %d ms (rate-limit.timeout=%d ms), %s",
                    TimeUnit.NANOSECONDS.toMillis(stall), TimeUnit.NANOSECONDS.toMillis(timeoutNanos),
                    cause(TimeUnit.NANOSECONDS.toMillis(stall), collecting, computing));
        }
    }

    /**
     * @param collecting milliseconds of garbage collection meanwhile
     * @param computing nanoseconds of CPU time that all threads had meanwhile; -1 where that is not known
     */
    static String cause(long stallMillis, long collecting, long computing) {
        if (collecting >= stallMillis / 2) {
            return "garbage collection took " + collecting + " ms";
        } else if (computing < 0) {
            return "garbage collection took " + collecting + " ms, CPU time is not known";
        }
        long cpu = TimeUnit.NANOSECONDS.toMillis(computing);
        return cpu < stallMillis / 2
                ? "the process had only " + cpu
                        + " ms of CPU: it was paused, or its CPU quota or its neighbours left it no more"
                : "the process had " + cpu + " ms of CPU: its own work, or code that blocks an event loop";
    }

    private long collectedMillis() {
        long millis = 0;
        for (var collector : collectors) {
            millis += Math.max(0, collector.getCollectionTime());
        }
        return millis;
    }

    private static long computedNanos() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
                ? system.getProcessCpuTime()
                : -1;
    }
}
