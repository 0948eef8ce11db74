package dev.sluice.testing.llm;

import java.util.Map;

/** Few connections to the providers, and short timeouts. */
public class LlmStreamsProfile extends LlmProfile {

    /** Maximum number of connections to one provider. */
    public static final int MAX_CONNECTIONS = 8;

    @Override
    public Map<String, String> getConfigOverrides() {
        var settings = super.getConfigOverrides();
        settings.put("rate-limit.llm.max-connections", Integer.toString(MAX_CONNECTIONS));
        settings.put("rate-limit.llm.drain-timeout", "1s");
        settings.put("rate-limit.llm.connect-timeout", "5s");
        settings.put("rate-limit.llm.openai.paths", "/v1/files");
        return settings;
    }
}
