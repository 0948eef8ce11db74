package dev.sluice.testing.llm;

import java.util.Map;

/** Rates of calls that use no tokens: one for all tiers, and others for two of them. Few identifiers for usage without a token. */
public class FreeCallsProfile extends LlmProfile {

    @Override
    public Map<String, String> getConfigOverrides() {
        var settings = super.getConfigOverrides();
        settings.put("rate-limit.llm.free-calls", "3/minute");
        settings.put("rate-limit.llm.free-calls.wealthy", "unlimited");
        settings.put("rate-limit.llm.free-calls.enterprise", "blocked");
        settings.put("rate-limit.llm.ledger.anonymous-identifiers", "3");
        return settings;
    }
}
