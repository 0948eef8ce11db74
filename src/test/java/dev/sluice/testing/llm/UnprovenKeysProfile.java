package dev.sluice.testing.llm;

import java.util.Map;

/** Callers may use provider keys of their own. Windows are so long that no test outlasts them. */
public class UnprovenKeysProfile extends LlmProfile {

    /** Maximum number of calls of an address with unproven keys. */
    public static final int UNPROVEN_CALLS = 60;
    /** Maximum number of calls of a key. */
    public static final int CALLS = 80;
    /** Maximum number of failed credentials of an address. */
    public static final int FAILURES = 20;

    @Override
    public Map<String, String> getConfigOverrides() {
        var settings = super.getConfigOverrides();
        for (var provider : new String[]{"openai", "anthropic", "gemini"}) {
            settings.put("rate-limit.llm." + provider + ".pass-through", "true");
            settings.put("rate-limit.llm." + provider + ".requests.free", CALLS + "/day");
        }
        settings.put("rate-limit.llm.openai.tokens.free", "100000/day");
        settings.put("rate-limit.llm.free-calls", "70/day");
        settings.put("rate-limit.llm.unproven-keys", UNPROVEN_CALLS + "/day");
        settings.put("rate-limit.default", FAILURES + "/day");
        return settings;
    }
}
