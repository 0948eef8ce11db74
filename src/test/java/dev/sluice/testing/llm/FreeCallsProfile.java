package dev.sluice.testing.llm;

import java.util.Map;

/** Rates of calls that use no tokens: one for all tiers, and others for two of them. */
public class FreeCallsProfile extends LlmProfile {

    @Override
    public Map<String, String> getConfigOverrides() {
        var settings = super.getConfigOverrides();
        settings.put("rate-limit.llm.free-calls", "3/minute");
        settings.put("rate-limit.llm.free-calls.wealthy", "unlimited");
        settings.put("rate-limit.llm.free-calls.enterprise", "blocked");
        return settings;
    }
}
