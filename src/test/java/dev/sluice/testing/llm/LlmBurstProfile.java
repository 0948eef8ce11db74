package dev.sluice.testing.llm;

import java.util.List;
import java.util.Map;

import dev.sluice.identity.Sha256;

/** Users with a budget of one dollar a day, and no configured estimate of outputs. The key of user {@code x} is {@code key-of-x}. */
public class LlmBurstProfile extends LlmProfile {

    private static final List<String> BURST_USERS = List.of("cold", "long", "warm", "tiny", "choices", "capped", "agent",
            "agents");

    @Override
    public Map<String, String> getConfigOverrides() {
        var settings = super.getConfigOverrides();
        settings.remove("rate-limit.llm.openai.output-estimate");
        settings.merge("rate-limit.tiers", "dollar", (tiers, tier) -> tiers + "," + tier);
        settings.put("rate-limit.llm.openai.requests.dollar", "unlimited");
        settings.put("rate-limit.llm.openai.budget.dollar", "1/day");
        for (var user : BURST_USERS) {
            settings.put("rate-limit.api-keys." + user + ".sha256", Sha256.hex("key-of-" + user));
            settings.put("rate-limit.api-keys." + user + ".user", user);
            settings.put("rate-limit.api-keys." + user + ".tier", "dollar");
        }
        return settings;
    }
}
