package dev.sluice.policy;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

import dev.sluice.api.Rate;
import dev.sluice.config.Suggestions;

/**
 * Immutable set of tiers and their default rates.
 *
 * @param names the tiers; callers without a tier are in the first one
 * @param defaults the rate of each tier for requests that match no rule; a tier that is absent is unlimited
 * @param known the tiers, and those of the settings, which a rules file may replace: a rate for any other name is a mistake
 */
public record Tiers(List<String> names, Map<String, Rate> defaults, Set<String> known) {

    public Tiers(List<String> names, Map<String, Rate> defaults) {
        this(names, defaults, Set.copyOf(names));
    }

    /** Returns whether a rate may be set for a tier. */
    public boolean isKnown(String tier) {
        return known.contains(tier);
    }

    /** Describes a problem: the tier does not exist. */
    public String unknown(String tier) {
        return unknown(tier, names);
    }

    /** Describes a problem: the tier is not one of these. */
    public static String unknown(String tier, List<String> names) {
        return "an unknown tier; allowed: " + String.join(", ", names) + Suggestions.hint(tier, names);
    }

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
