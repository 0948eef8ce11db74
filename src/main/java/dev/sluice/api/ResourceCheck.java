package dev.sluice.api;

/**
 * What a request asks of one resource: {@code cost} units under {@code rate}.
 * <p>
 * A cost that is not known before can be reserved: the estimate is taken, but never more than the limit, so that an empty
 * window always has room; {@link RateLimiter#settle} corrects it to what was used.
 *
 * @param resource names the window together with the identifier and the window's length; 1 to 256 characters
 * @param rate what governs it
 * @param cost units, from 0 to {@value Quota#MAX_LIMIT}; where it is reserved, of any size
 * @param reserved whether the cost is an estimate
 * @param fallback what answers while Redis is out of reach; null: what the settings say. Where the demands of one request
 *        differ, closed comes before local and local before open
 */
public record ResourceCheck(String resource, Rate rate, long cost, boolean reserved, FallbackPolicy fallback) {

    public ResourceCheck {
        Identifiers.requireValid("resource", resource);
        if (cost < 0 || !reserved && cost > Quota.MAX_LIMIT) {
            throw new IllegalArgumentException("a cost is a whole number from 0 to " + Quota.MAX_LIMIT);
        }
    }

    public ResourceCheck(String resource, Rate rate, long cost) {
        this(resource, rate, cost, false, null);
    }

    /** Reserves an estimate, to be settled. */
    public static ResourceCheck reservation(String resource, Rate rate, long estimate) {
        return new ResourceCheck(resource, rate, estimate, true, null);
    }

    /** The same with a fallback of its own; null: what the settings say. */
    public ResourceCheck withFallback(FallbackPolicy own) {
        return new ResourceCheck(resource, rate, cost, reserved, own);
    }

    /** Whether no window, however empty, could ever hold the cost. */
    public boolean isUnsatisfiable() {
        if (rate == Rate.BLOCKED) {
            return true;
        }
        for (var quota : rate.quotas()) {
            if (!reserved && cost > quota.limit()) {
                return true;
            }
        }
        return false;
    }
}
