package dev.sluice.limit;

/**
 * What a request asks of one resource: {@code cost} units under {@code rate}.
 *
 * @param resource names the window together with the identifier and the window's length; 1 to 256 characters
 * @param rate what governs it
 * @param cost units, from 0 to {@value Quota#MAX_LIMIT}
 */
public record Demand(String resource, Rate rate, long cost) {

    public Demand {
        Names.require("resource", resource);
        if (cost < 0 || cost > Quota.MAX_LIMIT) {
            throw new IllegalArgumentException("a cost is a whole number from 0 to " + Quota.MAX_LIMIT);
        }
    }

    /** Whether no window, however empty, could ever hold the cost. */
    public boolean impossible() {
        return rate == Rate.BLOCKED || rate.quotas().stream().anyMatch(quota -> cost > quota.limit());
    }
}
