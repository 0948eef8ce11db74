package dev.sluice.llm.ledger;

import java.util.Map;
import java.util.TreeMap;

/** Usage of one identifier by provider and model. */
public final class UsageReport {

    private final Map<String, Map<String, UsageTotals>> providers = new TreeMap<>();

    void add(String provider, String model, UsageTotals totals) {
        providers.computeIfAbsent(provider, name -> new TreeMap<>()).merge(model, totals, UsageTotals::plus);
    }

    /**
     * Returns the usage by provider id, then by model, both sorted.
     *
     * @return the usage
     */
    public Map<String, Map<String, UsageTotals>> providers() {
        return providers;
    }
}
