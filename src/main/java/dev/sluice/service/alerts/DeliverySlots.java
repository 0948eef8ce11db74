package dev.sluice.service.alerts;

import java.net.URI;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/**
 * Limits the requests to receivers that are under way: of one owner, to one host and in total, so that slow receivers leave room for
 * the others. Not thread-safe.
 */
final class DeliverySlots {

    /** Maximum number of requests at a time. */
    static final int MAX_CONCURRENT = 128;
    /** Maximum number of requests to one host and port at a time. */
    static final int MAX_PER_HOST = 32;
    /** Maximum number of requests of one owner at a time, as in {@link AlertTarget}. */
    static final int MAX_PER_OWNER = 4;

    private final Map<String, Integer> hosts = new HashMap<>();
    private final Map<String, Integer> owners = new HashMap<>();
    private int inUse;

    /** Takes a slot. Returns false if there is none for this owner and URL. */
    boolean tryAcquire(String owner, URI url) {
        var host = host(url);
        if (inUse >= MAX_CONCURRENT || owners.getOrDefault(owner, 0) >= MAX_PER_OWNER
                || hosts.getOrDefault(host, 0) >= MAX_PER_HOST) {
            return false;
        }
        inUse++;
        owners.merge(owner, 1, Integer::sum);
        hosts.merge(host, 1, Integer::sum);
        return true;
    }

    /** Returns a slot. */
    void release(String owner, URI url) {
        inUse--;
        owners.computeIfPresent(owner, (key, count) -> count == 1 ? null : count - 1);
        hosts.computeIfPresent(host(url), (key, count) -> count == 1 ? null : count - 1);
    }

    private static String host(URI url) {
        return url.getHost().toLowerCase(Locale.ROOT) + ':' + url.getPort();
    }
}
