package dev.sluice.llm.policy;

import java.util.Map;

import dev.sluice.api.Rate;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderType;
import dev.sluice.policy.Tiers;

/**
 * Rates of requests that apply without configuration. The service's application.properties has the same ones, so that a setting
 * of one tier does not change those of the others.
 */
final class BuiltInRates {

    private static final String LOWEST_TIER = "free";
    /** Those of a provider that the configuration adds are its type's. */
    private static final Map<ProviderType, Map<String, Rate>> REQUESTS = Map.of(
            ProviderType.OPENAI, byTier("3/minute", "60/minute", "500/minute"),
            ProviderType.ANTHROPIC, byTier("5/minute", "50/minute", "500/minute"),
            ProviderType.GEMINI, byTier("15/minute", "60/minute", "1000/minute"));

    private BuiltInRates() {
    }

    private static Map<String, Rate> byTier(String free, String pro, String enterprise) {
        return Map.of(LOWEST_TIER, Rate.parse(free), "pro", Rate.parse(pro), "enterprise", Rate.parse(enterprise));
    }

    /** Returns whether a rate is the built-in one of a tier, for any provider. */
    static boolean contains(String tier, Rate rate) {
        return REQUESTS.values().stream().anyMatch(rates -> rate.equals(rates.get(tier)));
    }

    /**
     * Returns the rate of requests of a tier that has none of its own: the built-in one if no tier is configured, otherwise the
     * tier's default rate. A library may have no default rate; calls, which it limits only on request, then have the built-in one,
     * and an unknown tier that of {@code free}.
     */
    static Rate requests(Provider provider, String tier, boolean configured, Tiers tiers) {
        var builtIn = REQUESTS.get(provider.type());
        var defaultRate = tiers.defaultRate(tier);
        if (builtIn.containsKey(tier) && (!configured || defaultRate.isEmpty())) {
            return builtIn.get(tier);
        }
        return defaultRate.orElse(builtIn.get(LOWEST_TIER));
    }
}
