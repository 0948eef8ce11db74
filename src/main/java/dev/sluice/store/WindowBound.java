package dev.sluice.store;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

import org.jboss.logging.Logger;

/** Logs, at most once a minute, that identifiers need more windows than they may have. Thread-safe. */
public final class WindowBound {

    private static final Logger LOG = Logger.getLogger("dev.sluice");

    private final int maximum;
    private final LongAdder denials = new LongAdder();
    private final LogInterval interval = new LogInterval(TimeUnit.MINUTES.toNanos(1), System.nanoTime());

    /** @param maximum maximum number of windows per identifier */
    public WindowBound(int maximum) {
        this.maximum = maximum;
    }

    /** Counts requests that were denied because their identifier has the maximum number of windows. */
    public void denied(long requests) {
        denials.add(requests);
        if (interval.tryPass(System.nanoTime())) {
            LOG.warnf(
                    "An identifier needs more than rate-limit.max-windows-per-identifier=%d windows (resources, times lengths):"
                            + " requests were denied, count=%d. Use fewer resource names, or raise the setting; GET /v1/limits lists the"
                            + " windows of an identifier",
                    maximum, denials.sumThenReset());
        }
    }
}
