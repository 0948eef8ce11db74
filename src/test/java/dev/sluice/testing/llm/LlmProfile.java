package dev.sluice.testing.llm;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

import dev.sluice.identity.Sha256;
import io.quarkus.test.junit.QuarkusTestProfile;

/** Users of each tier with a Sluice key, provider keys, and some rules. The key of user {@code x} is {@code key-of-x}. */
public class LlmProfile implements QuarkusTestProfile {

    public static final String OPENAI_KEY = "sk-openai-of-sluice";
    public static final String ANTHROPIC_KEY = "sk-ant-of-sluice";
    public static final String GEMINI_KEY = "AIza-of-sluice";
    public static final String ADMIN_AUTHORIZATION = "Bearer admin-secret";

    public static final List<String> USERS = List.of("free", "pro", "enterprise", "tokens", "money", "wealthy");

    @Override
    public Map<String, String> getConfigOverrides() {
        var settings = new HashMap<String, String>();
        settings.put("rate-limit.admin-token", "admin-secret");
        settings.put("rate-limit.tiers", "free,pro,enterprise,tokens,money,wealthy");
        settings.put("rate-limit.llm.openai.api-key", OPENAI_KEY);
        settings.put("rate-limit.llm.anthropic.api-key", ANTHROPIC_KEY);
        settings.put("rate-limit.llm.gemini.api-key", GEMINI_KEY);
        for (var provider : new String[]{"openai", "anthropic", "gemini"}) {
            for (var tier : new String[]{"tokens", "money", "wealthy"}) {
                settings.put("rate-limit.llm." + provider + ".requests." + tier, "unlimited");
            }
            settings.put("rate-limit.llm." + provider + ".tokens.tokens", "1000/minute");
            settings.put("rate-limit.llm." + provider + ".budget.money", "0.01/day");
        }
        settings.put("rate-limit.llm.openai.models.\"o3\".requests.pro", "1/minute");
        settings.put("rate-limit.llm.openai.models.\"gpt-4o-mini\".tokens.tokens", "500000/minute");
        settings.put("rate-limit.llm.openai.output-estimate", "100");
        settings.put("rate-limit.llm.openai.prices.\"house-model\".input", "1");
        settings.put("rate-limit.llm.openai.prices.\"house-model\".output", "2");
        settings.put("rate-limit.llm.openai.paths", "/v1/images,/v1/batches");
        settings.put("rate-limit.llm.gemini.paths",
                "/v1beta/models/imagen-3.0-generate-001:predict,/v1beta/models/imagen-9:predict,/upload/v1beta/files,/v1beta/interactions");
        for (var user : USERS) {
            settings.put("rate-limit.api-keys." + user + ".sha256", Sha256.hex("key-of-" + user));
            settings.put("rate-limit.api-keys." + user + ".user", user);
            settings.put("rate-limit.api-keys." + user + ".tier", user);
        }
        return settings;
    }
}
