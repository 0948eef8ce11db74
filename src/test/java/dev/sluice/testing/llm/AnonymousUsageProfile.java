package dev.sluice.testing.llm;

import java.util.Map;

/** Callers without a token may record usage of three identifiers an hour. */
public class AnonymousUsageProfile extends LlmProfile {

    @Override
    public Map<String, String> getConfigOverrides() {
        var settings = super.getConfigOverrides();
        settings.put("rate-limit.llm.ledger.anonymous-identifiers", "3");
        return settings;
    }
}
