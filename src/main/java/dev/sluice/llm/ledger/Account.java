package dev.sluice.llm.ledger;

import java.util.Map;
import java.util.TreeMap;

/** What one identifier has used, by provider and model. */
public final class Account {

    private final Map<String, Map<String, Tally>> providers = new TreeMap<>();

    void add(String provider, String model, Tally tally) {
        providers.computeIfAbsent(provider, name -> new TreeMap<>()).merge(model, tally, Tally::plus);
    }

    /** By provider, then by model. */
    public Map<String, Map<String, Tally>> providers() {
        return providers;
    }
}
