package dev.sluice.llm.limit;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import dev.sluice.config.ConfigProblems;
import dev.sluice.config.RulesChanged;
import dev.sluice.config.RulesFile;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.policy.CurrentPolicy;
import dev.sluice.policy.LimitRule;

/** The rows and prices of language models, as the settings say, and the file of rows, whenever it changes. */
@ApplicationScoped
public class CurrentLlmPolicy {

    private final LlmConfig config;
    private final CurrentPolicy policy;
    private volatile LlmPolicySnapshot current;

    CurrentLlmPolicy(LlmConfig config, CurrentPolicy policy, RulesFile file) {
        this.config = config;
        this.policy = policy;
        current = new LlmPolicySnapshot(config, file.initialDocument(), policy.tiers(file.initialDocument()));
        current.logUnknownTiers();
    }

    void validate(@Observes ConfigProblems problems) {
        problems.addAll(current.problems());
    }

    void onRulesChanged(@Observes RulesChanged change) {
        var next = new LlmPolicySnapshot(config, change.document(), policy.tiers(change.document()));
        change.addProblems(next.problems());
        change.onAccepted(() -> {
            current = next;
            next.logUnknownTiers();
        });
    }

    /** All of it as it is at one time, tiers included: whoever asks several things asks them of one of these. */
    LlmPolicySnapshot current() {
        return current;
    }

    /** What is limited of a provider's calls, for people: {@code requests, tokens, budget}. */
    public String describeLimits(Provider provider) {
        return current.describeLimits(provider);
    }

    /** The row of this resource, in whatever it counts; null where there is none. */
    public LimitRule rule(String resource) {
        return current.rule(resource);
    }
}
