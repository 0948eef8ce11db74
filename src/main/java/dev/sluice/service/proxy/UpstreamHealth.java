package dev.sluice.service.proxy;

import java.util.concurrent.TimeUnit;

import org.jboss.logging.Logger;

import dev.sluice.service.proxy.connection.UpstreamException;
import dev.sluice.service.proxy.connection.UpstreamUrl;

/**
 * Logs when an upstream begins to fail, with the cause, and when it has recovered: one line each. It has recovered if a request
 * succeeds and none has failed for a second. Thread-safe.
 */
final class UpstreamHealth {

    private static final Logger LOG = Logger.getLogger(UpstreamHealth.class);
    private static final long RECOVERY_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final String name;
    private final UpstreamUrl url;
    private volatile boolean failing;
    private long since;
    private long lastFailure;
    private long failures;

    UpstreamHealth(String name, UpstreamUrl url) {
        this.name = name;
        this.url = url;
    }

    synchronized void onFailure(UpstreamException failure) {
        lastFailure = System.nanoTime();
        if (failing) {
            failures++;
            return;
        }
        failing = true;
        failures = 1;
        since = lastFailure;
        LOG.warnf("Upstream fails: upstream=%s, url=%s, cause=%s", name, url, failure.describe());
    }

    void onSuccess() {
        if (failing) {
            recover(System.nanoTime());
        }
    }

    private synchronized void recover(long now) {
        if (failing && now - lastFailure >= RECOVERY_NANOS) {
            failing = false;
            LOG.infof("Upstream has recovered: upstream=%s, url=%s, failed requests=%d, seconds=%d", name, url, failures,
                    TimeUnit.NANOSECONDS.toSeconds(now - since));
        }
    }
}
