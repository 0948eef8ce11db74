package dev.sluice.policy;

import java.util.List;
import java.util.Map;
import java.util.Optional;

import dev.sluice.api.Rate;

/**
 * Immutable set of tiers and their default rates.
 *
 * @param names the tiers; callers without a tier are in the first one
 * @param defaults the rate of each tier for requests that match no rule; a tier that is absent is unlimited
 */
public record Tiers(List<String> names, Map<String, Rate> defaults) {

    /** Returns the claimed tier, or the first tier if the claimed one is unknown or null. */
    public String effective(String claimed) {
        return claimed != null && names.contains(claimed) ? claimed : names.get(0);
    }

    /** Returns the default rate of a tier, or that of the first tier if it is unknown; unlimited if none is set. */
    public Rate rate(String tier) {
        return defaultRate(tier).orElse(Rate.UNLIMITED);
    }

    /** Returns the default rate of a tier like {@link #rate}; empty if none is set. */
    public Optional<Rate> defaultRate(String tier) {
        return Optional.ofNullable(defaults.get(effective(tier)));
    }
}
