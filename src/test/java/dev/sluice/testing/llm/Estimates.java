package dev.sluice.testing.llm;

import dev.sluice.llm.estimate.TextTokens;
import dev.sluice.llm.protocol.LlmRequestParser;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderOperation;
import io.vertx.core.buffer.Buffer;

/** Estimates of requests, as Sluice makes them once its vocabulary is loaded. */
public final class Estimates {

    private Estimates() {
    }

    /** Loads the vocabulary. Must be called before the requests of a test whose estimates are compared. */
    public static void load() {
        TextTokens.awaitVocabulary();
    }

    /** Returns the input tokens that are reserved for a chat. */
    public static long chat(String body) {
        return input(Provider.OPENAI, "/v1/chat/completions", body);
    }

    /** Returns the input tokens that are reserved for a request. */
    public static long input(Provider provider, String path, String body) {
        load();
        return LlmRequestParser.parse(provider, ProviderOperation.of(provider, "POST", path), Buffer.buffer(body))
                .estimatedInputTokens();
    }
}
