package dev.sluice.store.memory;

import org.jboss.logging.Logger;

import dev.sluice.store.ThrottledLog;

/** Logs, at most once a minute, that identifiers with full windows are evicted. Thread-safe. */
final class EvictionLog {

    private static final Logger LOG = Logger.getLogger("dev.sluice");

    private final long maxBytes;
    private final ThrottledLog log = new ThrottledLog();

    EvictionLog(long maxBytes) {
        this.maxBytes = maxBytes;
    }

    /** Counts an identifier whose full windows were evicted. */
    void fullEvicted() {
        log.log(count -> LOG.warnf(
                "There is too little memory for the windows of this instance: rate-limit.memory.max-size=%d, identifiers with"
                        + " full windows evicted=%d. Without Redis they are admitted again. Raise the setting",
                maxBytes, count));
    }
}
