package dev.sluice.store;

import org.jboss.logging.Logger;

/** Logs, at most once a minute, that identifiers need more windows than they may have. Thread-safe. */
public final class WindowBound {

    private static final Logger LOG = Logger.getLogger("dev.sluice");

    private final int maximum;
    private final ThrottledLog log = new ThrottledLog();

    /** @param maximum maximum number of windows per identifier */
    public WindowBound(int maximum) {
        this.maximum = maximum;
    }

    /** Counts requests that were denied because their identifier has the maximum number of windows. */
    public void denied(long requests) {
        log.log(requests, count -> LOG.warnf(
                "Identifiers need more than rate-limit.max-windows-per-identifier=%d windows (one for each resource and length):"
                        + " requests were denied, count=%d. Use fewer resource names, or raise the setting; GET /v1/limits lists"
                        + " the windows of an identifier",
                maximum, count));
    }
}
