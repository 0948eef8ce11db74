package dev.sluice.testing.llm;

import java.util.Map;

/** What an operator can switch off. */
public final class LlmModes {

    private LlmModes() {
    }

    /** Nothing is limited. */
    public static class Off extends LlmProfile {

        @Override
        public Map<String, String> getConfigOverrides() {
            var settings = super.getConfigOverrides();
            settings.put("rate-limit.enabled", "false");
            return settings;
        }
    }

    /** Nothing is refused. */
    public static class DryRun extends LlmProfile {

        @Override
        public Map<String, String> getConfigOverrides() {
            var settings = super.getConfigOverrides();
            settings.put("rate-limit.dry-run", "true");
            return settings;
        }
    }
}
