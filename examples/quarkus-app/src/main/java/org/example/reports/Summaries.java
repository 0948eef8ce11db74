package org.example.reports;

import dev.sluice.llm.LlmRateLimited;
import dev.sluice.llm.LlmTier;
import dev.sluice.llm.LlmUser;
import dev.sluice.llm.client.LlmCallScope;


import jakarta.enterprise.context.ApplicationScoped;


/** Calls a language model in a way of its own. */
@ApplicationScoped
public class Summaries {

    @LlmRateLimited(value = "anthropic", model = "claude-haiku-4-5")
    public String of(String report, @LlmUser String user, @LlmTier String tier) {
        // Here an application calls its model, and is told what that has used.
        LlmCallScope.reportUsage(1000, 100);
        return "in short: " + report;
    }
}
