package dev.sluice.service.api;

import java.util.List;

/** Field {@code tier} of a request body. */
public final class Tier {

    private Tier() {
    }

    /**
     * Returns the tier.
     *
     * @throws BadRequestException if it does not exist
     */
    public static String check(String tier, List<String> tiers) {
        if (!tiers.contains(tier)) {
            throw BadRequestException.forField("tier", "tier must be one of " + String.join(", ", tiers));
        }
        return tier;
    }
}
