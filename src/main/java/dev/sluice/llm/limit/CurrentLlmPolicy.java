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

    private final LlmConfig settings;
    private final CurrentPolicy policy;
    private volatile LlmPolicySnapshot now;

    CurrentLlmPolicy(LlmConfig settings, CurrentPolicy policy, RulesFile file) {
        this.settings = settings;
        this.policy = policy;
        now = new LlmPolicySnapshot(settings, file.initialDocument(), policy.tiers(file.initialDocument()));
        now.warn();
    }

    void validate(@Observes ConfigProblems all) {
        all.addAll(now.problems());
    }

    void change(@Observes RulesChanged change) {
        var next = new LlmPolicySnapshot(settings, change.document(), policy.tiers(change.document()));
        change.addProblems(next.problems());
        change.onAccepted(() -> {
            now = next;
            next.warn();
        });
    }

    /** All of it as it is at one time, tiers included: whoever asks several things asks them of one of these. */
    LlmPolicySnapshot now() {
        return now;
    }

    /** What is limited of a provider's calls, for people: {@code requests, tokens, budget}. */
    public String limited(Provider provider) {
        return now.limited(provider);
    }

    /** The row of this resource, in whatever it counts; null where there is none. */
    public LimitRule row(String resource) {
        return now.row(resource);
    }
}
