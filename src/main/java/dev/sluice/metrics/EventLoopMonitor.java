package dev.sluice.metrics;

import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

import jakarta.annotation.Priority;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;

import org.jboss.logging.Logger;

import com.sun.management.OperatingSystemMXBean;

import dev.sluice.engine.StoreConfig;
import dev.sluice.redis.EventLoops;
import dev.sluice.store.LogInterval;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.ScheduledFuture;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.vertx.core.Vertx;

/**
 * Measures stalls of the event loops: periods in which a loop did not run although it had work. A stall that exceeds the
 * timeout for Redis is logged with its probable cause, so that it is not mistaken for an outage of Redis.
 */
@Singleton
class EventLoopMonitor {

    static final String STALL = "rate_limit_event_loop_stall";

    private static final Logger LOG = Logger.getLogger("dev.sluice");
    private static final long PERIOD_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    /** Handling a few requests takes as long as shorter stalls. */
    private static final long MIN_STALL_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
    /** Minimum time between two log lines. */
    private static final long LOG_INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final Duration[] BUCKETS = {Duration.ofMillis(10), Duration.ofMillis(25), Duration.ofMillis(50),
            Duration.ofMillis(100), Duration.ofMillis(250), Duration.ofMillis(500), Duration.ofSeconds(1),
            Duration.ofSeconds(5)};

    private final Timer stalls;
    private final long timeoutNanos;
    private final Vertx vertx;
    private final List<GarbageCollectorMXBean> collectors = ManagementFactory.getGarbageCollectorMXBeans();
    private final LogInterval logInterval = new LogInterval(LOG_INTERVAL_NANOS, System.nanoTime());
    private List<ScheduledFuture<?>> probes = List.of();

    EventLoopMonitor(MeterRegistry registry, StoreConfig settings, Vertx vertx) {
        this.vertx = vertx;
        this.timeoutNanos = settings.timeout().toNanos();
        this.stalls = Timer.builder(STALL)
                .description("Time that an event loop of this instance did not run although it had work")
                .serviceLevelObjectives(BUCKETS).register(registry);
    }

    /** Starts after the warm-up, which loads classes on the event loops. */
    void start(@Observes @Priority(3000) StartupEvent started) {
        var scheduled = new ArrayList<ScheduledFuture<?>>();
        for (EventExecutor loop : EventLoops.group(vertx)) {
            scheduled.add(loop.scheduleWithFixedDelay(new Probe(), PERIOD_NANOS, PERIOD_NANOS, TimeUnit.NANOSECONDS));
        }
        probes = scheduled;
    }

    void stop(@Observes ShutdownEvent stopping) {
        probes.forEach(probe -> probe.cancel(false));
    }

    /** Periodic task of one event loop, which measures how late it runs. */
    private final class Probe implements Runnable {

        private long lastRun = System.nanoTime();
        private long gcMillis = totalGcMillis();
        private long cpuNanos = totalCpuNanos();

        @Override
        public void run() {
            long now = System.nanoTime();
            long stall = now - lastRun - PERIOD_NANOS;
            lastRun = now;
            if (stall >= MIN_STALL_NANOS) {
                stalls.record(stall, TimeUnit.NANOSECONDS);
            }
            long gcMillisNow = totalGcMillis();
            long cpuNanosNow = totalCpuNanos();
            if (stall >= timeoutNanos) {
                log(stall, gcMillisNow - gcMillis, cpuNanos < 0 ? -1 : cpuNanosNow - cpuNanos);
            }
            gcMillis = gcMillisNow;
            cpuNanos = cpuNanosNow;
        }
    }

    private void log(long stall, long gcMillis, long cpuNanos) {
        if (logInterval.tryPass(System.nanoTime())) {
            LOG.infof(
                    "This instance stalled, not Redis: an event loop did not run for %d ms (rate-limit.timeout=%d ms); cause: %s",
                    TimeUnit.NANOSECONDS.toMillis(stall), TimeUnit.NANOSECONDS.toMillis(timeoutNanos),
                    cause(TimeUnit.NANOSECONDS.toMillis(stall), gcMillis, cpuNanos));
        }
    }

    /**
     * Describes the probable cause of a stall.
     *
     * @param gcMillis milliseconds of garbage collection during the stall
     * @param cpuNanos nanoseconds of CPU time of all threads during the stall; -1 if unknown
     */
    static String cause(long stallMillis, long gcMillis, long cpuNanos) {
        if (gcMillis >= stallMillis / 2) {
            return "garbage collection took " + gcMillis + " ms";
        } else if (cpuNanos < 0) {
            return "garbage collection took " + gcMillis + " ms, CPU time unknown";
        }
        long cpuMillis = TimeUnit.NANOSECONDS.toMillis(cpuNanos);
        return cpuMillis < stallMillis / 2
                ? "the process had only " + cpuMillis
                        + " ms of CPU time: it was suspended, throttled by its CPU quota, or other processes used the CPU"
                : "the process had " + cpuMillis + " ms of CPU time: its own load, or code that blocks an event loop";
    }

    private long totalGcMillis() {
        long millis = 0;
        for (var collector : collectors) {
            millis += Math.max(0, collector.getCollectionTime());
        }
        return millis;
    }

    private static long totalCpuNanos() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
                ? system.getProcessCpuTime()
                : -1;
    }
}
