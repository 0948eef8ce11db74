package dev.sluice.testing.llm;

import java.util.Map;

/** Adds a trusted proxy, a maximum body size, forwarded headers and some rules. */
public class LlmGatewayProfile extends LlmProfile {

    /** Address of the trusted proxy. */
    public static final String TRUSTED_PROXY_ADDRESS = "127.0.0.2";
    public static final int MAX_BODY_BYTES = 12 << 20;

    @Override
    public Map<String, String> getConfigOverrides() {
        var settings = super.getConfigOverrides();
        settings.put("rate-limit.trusted-proxies", TRUSTED_PROXY_ADDRESS + "/32");
        settings.put("rate-limit.identity-proxies", TRUSTED_PROXY_ADDRESS + "/32");
        settings.put("rate-limit.llm.max-body-size", Integer.toString(MAX_BODY_BYTES));
        settings.put("rate-limit.llm.forwarded-headers", "X-Kept,x-acme-*");
        settings.put("rate-limit.llm.openai.tokens.enterprise", "100000/hour");
        settings.put("rate-limit.llm.anthropic.requests.enterprise", "blocked");
        settings.put("rate-limit.llm.openai.models.\"x:budget\".requests.pro", "1/minute");
        settings.put("rate-limit.llm.openai.models.\"x:tokens\".budget.pro", "blocked");
        settings.put("rate-limit.llm.openai.models.\"gpt-4.1\".concurrency.pro", "2");
        return settings;
    }
}
