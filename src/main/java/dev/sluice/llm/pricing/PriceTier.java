package dev.sluice.llm.pricing;

import java.util.Comparator;
import java.util.Locale;

import dev.sluice.llm.protocol.ServiceTier;

/**
 * Calls that have prices of their own: those in a tier of service with more than a number of input tokens.
 *
 * @param above number of input tokens that a call must exceed
 */
record PriceTier(ServiceTier service, long above) implements Comparable<PriceTier> {

    private static final Comparator<PriceTier> ORDER = Comparator.comparing(PriceTier::service)
            .thenComparing(PriceTier::above);

    @Override
    public int compareTo(PriceTier other) {
        return ORDER.compare(this, other);
    }

    /** Returns the name of the tier of service in prices.json. */
    String serviceName() {
        return service.name().toLowerCase(Locale.ROOT);
    }
}
