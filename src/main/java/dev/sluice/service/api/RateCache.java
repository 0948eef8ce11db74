package dev.sluice.service.api;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import dev.sluice.api.Rate;

/** Keeps the rates that requests have brought: most callers ask under the same few again and again. Bounded. */
final class RateCache {

    private static final int SLOTS = 256;
    private static final int MOST_TEXTS = 256;
    private static final int LONGEST_TEXT = 64;

    /** By a hash of limit and window. Written without a lock: a rate is immutable, and one that is lost is made again. */
    private final Rate[] slots = new Rate[SLOTS];
    private final Map<String, Rate> byText = new ConcurrentHashMap<>();

    /** The same as {@link Rate#of(long, Duration)}. */
    Rate of(long limit, long seconds) {
        int slot = Long.hashCode(limit * 31 + seconds) & SLOTS - 1;
        var known = slots[slot];
        if (known != null) {
            var quota = known.quotas().get(0);
            if (quota.limit() == limit && quota.windowSeconds() == seconds) {
                return known;
            }
        }
        var rate = Rate.of(limit, Duration.ofSeconds(seconds));
        slots[slot] = rate;
        return rate;
    }

    /** The same as {@link Rate#parse(String)}. */
    Rate parse(String text) {
        var known = byText.get(text);
        if (known != null) {
            return known;
        }
        var rate = Rate.parse(text);
        if (text.length() <= LONGEST_TEXT) {
            if (byText.size() >= MOST_TEXTS) {
                byText.clear();
            }
            byText.put(text, rate);
        }
        return rate;
    }
}
