package dev.sluice.testing.llm;

import java.util.Map;

/** Profiles of the decision modes. */
public final class LlmModes {

    private LlmModes() {
    }

    /** Limiting is disabled. */
    public static class Off extends LlmProfile {

        @Override
        public Map<String, String> getConfigOverrides() {
            var settings = super.getConfigOverrides();
            settings.put("rate-limit.enabled", "false");
            return settings;
        }
    }

    /** Limits are not enforced. */
    public static class DryRun extends LlmProfile {

        @Override
        public Map<String, String> getConfigOverrides() {
            var settings = super.getConfigOverrides();
            settings.put("rate-limit.dry-run", "true");
            return settings;
        }
    }
}
