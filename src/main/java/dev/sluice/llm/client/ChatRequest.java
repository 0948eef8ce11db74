package dev.sluice.llm.client;

import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderOperation;
import io.vertx.core.json.JsonObject;

/**
 * Chat request in the provider's own format.
 *
 * @param path path from the API version on, with the query
 * @param body the JSON to send
 */
record ChatRequest(String path, JsonObject body) {

    static ChatRequest of(Provider provider, JsonObject body, boolean streaming) {
        return switch (provider.type()) {
            case OPENAI -> new ChatRequest("/v1/chat/completions", withStreamFlag(body, streaming));
            case ANTHROPIC -> new ChatRequest("/v1/messages", withStreamFlag(body, streaming));
            case GEMINI -> gemini(body, streaming);
        };
    }

    private static JsonObject withStreamFlag(JsonObject body, boolean streaming) {
        return streaming ? body.copy().put("stream", true) : body;
    }

    /** Moves the model into the path: Gemini accepts it nowhere else. */
    private static ChatRequest gemini(JsonObject body, boolean streaming) {
        var rest = body.copy();
        var model = String.valueOf(rest.remove("model"));
        var path = "/v1beta/models/" + (model.startsWith("models/") ? model.substring("models/".length()) : model)
                + (streaming ? ":streamGenerateContent" : ":generateContent");
        if (ProviderOperation.of(Provider.GEMINI, "POST", path).kind() != ProviderOperation.Kind.CALL || model.equals("null")) {
            throw new IllegalArgumentException("body must have the model's name in the field model");
        }
        return new ChatRequest(streaming ? path + "?alt=sse" : path, rest);
    }
}
