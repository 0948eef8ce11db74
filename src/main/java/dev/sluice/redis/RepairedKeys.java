package dev.sluice.redis;

import java.util.concurrent.atomic.AtomicLong;

import org.jboss.logging.Logger;

/** Counts the keys of Sluice's that held foreign values, which a script has deleted; the first time is logged. Thread-safe. */
final class RepairedKeys {

    private static final Logger LOG = Logger.getLogger("dev.sluice");

    private final AtomicLong count = new AtomicLong();

    /** @param first the name of the first of the keys */
    void add(long keys, String first) {
        if (count.getAndAdd(keys) == 0) {
            LOG.warnf(
                    "Keys of Sluice's in Redis held foreign values; they were deleted, which resets their windows: count=%d,"
                            + " first=%s. Another program writes under rate-limit.redis.key-prefix; further ones are counted in"
                            + " rate_limit_repaired_keys_total",
                    keys, withoutIdentifier(first));
        }
    }

    long count() {
        return count.get();
    }

    /** Cuts off the identifier, which may be a person's name. */
    private static String withoutIdentifier(String key) {
        return key.substring(0, Math.min(key.length(), key.indexOf('}') + 3)) + "...";
    }
}
