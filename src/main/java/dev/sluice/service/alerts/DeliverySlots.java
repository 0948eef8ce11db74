package dev.sluice.service.alerts;

import java.net.URI;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/**
 * Limits the requests to receivers that are under way: to one URL, to one host and to all, so that slow receivers leave room for the
 * others. Not thread-safe.
 */
final class DeliverySlots {

    /** Maximum number of requests at a time. */
    static final int MAX_CONCURRENT = 128;
    /** Maximum number of requests to one host and port at a time. */
    static final int MAX_PER_HOST = 32;
    /** Maximum number of requests to one URL at a time. */
    static final int MAX_PER_URL = 4;

    private final Map<String, Integer> hosts = new HashMap<>();
    private final Map<URI, Integer> urls = new HashMap<>();
    private int inUse;

    /** Takes a slot. Returns false if there is none for this URL. */
    boolean tryAcquire(URI url) {
        var host = host(url);
        if (inUse >= MAX_CONCURRENT || urls.getOrDefault(url, 0) >= MAX_PER_URL
                || hosts.getOrDefault(host, 0) >= MAX_PER_HOST) {
            return false;
        }
        inUse++;
        urls.merge(url, 1, Integer::sum);
        hosts.merge(host, 1, Integer::sum);
        return true;
    }

    /** Returns a slot. */
    void release(URI url) {
        inUse--;
        urls.computeIfPresent(url, (key, count) -> count == 1 ? null : count - 1);
        hosts.computeIfPresent(host(url), (key, count) -> count == 1 ? null : count - 1);
    }

    private static String host(URI url) {
        return url.getHost().toLowerCase(Locale.ROOT) + ':' + url.getPort();
    }
}
