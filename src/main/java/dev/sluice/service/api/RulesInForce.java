package dev.sluice.service.api;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.config.RulesFile;
import dev.sluice.llm.limit.CurrentLlmPolicy;
import dev.sluice.policy.CurrentPolicy;

/** Describes the rules in force on this instance. */
@ApplicationScoped
class RulesInForce {

    private final CurrentPolicy policy;
    private final CurrentLlmPolicy llmPolicy;
    private final RulesFile file;

    RulesInForce(CurrentPolicy policy, CurrentLlmPolicy llmPolicy, RulesFile file) {
        this.policy = policy;
        this.llmPolicy = llmPolicy;
        this.file = file;
    }

    RulesResponse describe() {
        return RulesResponse.of(policy, llmPolicy, file.status());
    }
}
