package dev.sluice.llm.client;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.llm.LlmRateLimited;
import dev.sluice.llm.LlmTier;
import dev.sluice.llm.LlmUser;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;

/** Bean with limited methods of each return type. */
@ApplicationScoped
public class AnnotatedBean {

    @LlmRateLimited(value = "openai", model = "${no.such.model:gpt-4o}", tokens = 70)
    public String plain(@LlmUser String user, @LlmTier String tier) {
        return "plain";
    }

    @LlmRateLimited(value = "openai", model = "gpt-4o", tokens = 70)
    public Uni<String> uni(@LlmUser String user) {
        return Uni.createFrom().item("uni").invoke(() -> LlmCallScope.reportUsage(10, 2));
    }

    @LlmRateLimited(value = "openai", model = "gpt-4o", tokens = 70)
    public Multi<String> multi(@LlmUser String user) {
        return Multi.createFrom().items("a", "b").invoke(() -> LlmCallScope.reportUsage(10, 2));
    }

    @LlmRateLimited(value = "openai", model = "gpt-4o", tokens = 70)
    public CompletionStage<String> stage(@LlmUser String user) {
        LlmCallScope.reportUsage(10, 2);
        return CompletableFuture.completedFuture("stage");
    }

    @LlmRateLimited(value = "openai", model = "gpt-4o")
    public String unnamed() {
        return "unnamed";
    }

    @LlmRateLimited(value = "openai", model = "gpt-4o", tokens = 70)
    public String failing(@LlmUser String user, Supplier<RuntimeException> failure) {
        throw failure.get();
    }

    @LlmRateLimited(value = "openai", model = "gpt-4o", tokens = 70)
    public Uni<String> endless(@LlmUser String user) {
        return Uni.createFrom().nothing();
    }

    @LlmRateLimited(value = "openai", model = "gpt-4o", tokens = 70)
    public String erring(@LlmUser String user) {
        throw new NoClassDefFoundError("on purpose");
    }

    @LlmRateLimited(value = "openai", model = "gpt-4o", tokens = 70)
    public Uni<String> erringUni(@LlmUser String user) {
        throw new NoClassDefFoundError("on purpose");
    }

    @LlmRateLimited(value = "openai", model = "gpt-4o", tokens = 70)
    public Multi<String> erringMulti(@LlmUser String user) {
        throw new NoClassDefFoundError("on purpose");
    }

    @LlmRateLimited(value = "openai", model = "gpt-4o", tokens = 70)
    public CompletionStage<String> erringStage(@LlmUser String user) {
        throw new NoClassDefFoundError("on purpose");
    }

    @LlmRateLimited(value = "openai", model = "gpt-4o", tokens = 70)
    public Uni<String> nothing(@LlmUser String user) {
        return null;
    }
}
