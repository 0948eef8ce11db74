package dev.sluice.service.api;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import dev.sluice.api.Rate;

/** Bounded cache of rates given in requests: most callers use the same few rates. */
final class RateCache {

    private static final int SLOTS = 256;
    private static final int MAX_TEXTS = 256;
    private static final int MAX_TEXT_LENGTH = 64;

    /**
     * Indexed by a hash of limit and window. Written without a lock: a rate is immutable, and a lost entry is created again.
     */
    private final Rate[] slots = new Rate[SLOTS];
    private final Map<String, Rate> byText = new ConcurrentHashMap<>();

    /** Returns the same rate as {@link Rate#of(long, Duration)}. */
    Rate of(long limit, long seconds) {
        int slot = Long.hashCode(limit * 31 + seconds) & SLOTS - 1;
        var cached = slots[slot];
        if (cached != null) {
            var quota = cached.quotas().get(0);
            if (quota.limit() == limit && quota.windowSeconds() == seconds) { // always a sliding window
                return cached;
            }
        }
        var rate = Rate.of(limit, Duration.ofSeconds(seconds));
        slots[slot] = rate;
        return rate;
    }

    /** Returns the same rate as {@link Rate#parse(String)}. */
    Rate parse(String text) {
        var cached = byText.get(text);
        if (cached != null) {
            return cached;
        }
        var rate = Rate.parse(text);
        if (text.length() <= MAX_TEXT_LENGTH) {
            if (byText.size() >= MAX_TEXTS) {
                byText.clear();
            }
            byText.put(text, rate);
        }
        return rate;
    }
}
