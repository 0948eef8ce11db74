package dev.sluice.policy;

import java.util.List;
import java.util.Map;

import dev.sluice.api.Rate;

/**
 * The tiers that callers may be in, as they are at one time.
 *
 * @param names the first is an unknown caller's
 * @param defaults each tier's rate where no row says otherwise
 */
public record Tiers(List<String> names, Map<String, Rate> defaults) {

    /** The tier that counts for a caller who claims this one: itself, or the first where it is unknown or null. */
    public String effective(String claimed) {
        return claimed != null && names.contains(claimed) ? claimed : names.get(0);
    }

    /** A tier's default rate; that of the first where the tier is unknown. */
    public Rate rate(String tier) {
        return defaults.get(effective(tier));
    }
}
