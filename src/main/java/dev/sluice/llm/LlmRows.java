package dev.sluice.llm;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import dev.sluice.file.FileChange;
import dev.sluice.file.RowsFile;
import dev.sluice.limit.SettingsProblems;
import dev.sluice.llm.wire.Provider;
import dev.sluice.policy.Policy;
import dev.sluice.policy.Row;

/** The rows and prices of language models, as the settings say, and the file of rows, whenever it changes. */
@ApplicationScoped
public class LlmRows {

    private final LlmSettings settings;
    private final Policy policy;
    private volatile LlmTable now;

    LlmRows(LlmSettings settings, Policy policy, RowsFile file) {
        this.settings = settings;
        this.policy = policy;
        now = new LlmTable(settings, file.atStart(), policy.tiers(file.atStart()));
        now.warn();
    }

    void validate(@Observes SettingsProblems all) {
        all.addAll(now.problems());
    }

    void change(@Observes FileChange change) {
        var next = new LlmTable(settings, change.content(), policy.tiers(change.content()));
        change.addAll(next.problems());
        change.whenGood(() -> {
            now = next;
            next.warn();
        });
    }

    /** All of it as it is at one time, tiers included: whoever asks several things asks them of one of these. */
    LlmTable now() {
        return now;
    }

    /** What is limited of a provider's calls, for people: {@code requests, tokens, budget}. */
    public String limited(Provider provider) {
        return now.limited(provider);
    }

    /** The row of this resource, in whatever it counts; null where there is none. */
    public Row row(String resource) {
        return now.row(resource);
    }
}
