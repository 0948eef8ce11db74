package dev.sluice.testing.llm;

import java.util.Map;

/** Callers may use provider keys of their own, except for Gemini, for which no key is configured. */
public class LlmPassThroughProfile extends LlmProfile {

    @Override
    public Map<String, String> getConfigOverrides() {
        var settings = super.getConfigOverrides();
        settings.put("rate-limit.llm.openai.pass-through", "true");
        settings.put("rate-limit.llm.anthropic.pass-through", "true");
        settings.remove("rate-limit.llm.gemini.api-key");
        return settings;
    }
}
