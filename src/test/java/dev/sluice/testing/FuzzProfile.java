package dev.sluice.testing;

import java.util.Map;

import dev.sluice.testing.llm.LlmProfile;

/** All endpoints enabled, high limits and short timeouts. */
public class FuzzProfile extends LlmProfile {

    @Override
    public Map<String, String> getConfigOverrides() {
        var settings = super.getConfigOverrides();
        settings.put("rate-limit.default", "1000000/minute");
        settings.put("rate-limit.check.rate", "1000000/minute");
        settings.put("rate-limit.trusted-proxies", "127.0.0.0/8");
        settings.put("rate-limit.identity-proxies", "127.0.0.0/8");
        settings.put("rate-limit.llm.openai.pass-through", "true");
        settings.put("rate-limit.connections.head-timeout", "300ms");
        settings.put("rate-limit.connections.body-timeout", "300ms");
        settings.put("rate-limit.connections.idle-timeout", "1s");
        settings.put("rate-limit.connections.reader-timeout", "1s");
        settings.put("rate-limit.upstream.timeout", "500ms");
        settings.put("rate-limit.llm.timeout", "500ms");
        settings.put("rate-limit.llm.body-timeout", "300ms");
        settings.put("rate-limit.llm.drain-timeout", "300ms");
        return settings;
    }
}
