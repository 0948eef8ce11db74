package dev.sluice.policy;

import java.util.Map;

import dev.sluice.limit.Rate;

/**
 * A row of limits: what one endpoint allows to each tier.
 *
 * @param resource names its windows: {@code api:} and the endpoint as it is configured, or {@code api:default}
 * @param rates a rate for every tier
 */
public record Row(String resource, Map<String, Rate> rates) {

    /** The resource of all endpoints that have no row. */
    public static final String DEFAULT = "api:default";

    public boolean isDefault() {
        return resource.equals(DEFAULT);
    }

    public Rate rate(String tier) {
        return rates.get(tier);
    }
}
