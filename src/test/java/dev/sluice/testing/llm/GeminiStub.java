package dev.sluice.testing.llm;

import java.util.ArrayList;
import java.util.List;

import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** Stub of Gemini's API: contents, embeddings, token counting, models. */
public final class GeminiStub extends ProviderStub {

    private static final String MODELS = "/v1beta/models";
    /** Responses are written over several lines, as Google does. */
    private static final String JSON = "application/json; charset=UTF-8";

    private volatile long toolPromptTokens;

    @Override
    public void reset() {
        super.reset();
        toolPromptTokens = 0;
    }

    /** Sets how many of the input tokens are results of tools; Gemini reports them separately from the prompt. */
    public void toolPromptTokens(long tokens) {
        toolPromptTokens = tokens;
    }

    @Override
    String key(HttpServerRequest request) {
        if (request.path().startsWith("/v1beta/openai/")) {
            var bearer = request.getHeader("Authorization");
            return bearer == null ? null : bearer.replaceFirst("^Bearer ", "");
        }
        var header = request.getHeader("x-goog-api-key");
        return header == null ? request.getParam("key") : header;
    }

    @Override
    JsonObject error(int status, String message) {
        return new JsonObject().put("error",
                new JsonObject().put("code", status).put("message", message).put("status", status(status)));
    }

    private static String status(int status) {
        switch (status) {
            case 400 :
                return "INVALID_ARGUMENT";
            case 401 :
                return "UNAUTHENTICATED";
            case 403 :
                return "PERMISSION_DENIED";
            case 404 :
                return "NOT_FOUND";
            case 429 :
                return "RESOURCE_EXHAUSTED";
            case 503 :
                return "UNAVAILABLE";
            default :
                return "INTERNAL";
        }
    }

    @Override
    void respond(StubCall call) {
        var path = call.request.path();
        if (path.equals(MODELS) && call.request.method().name().equals("GET")) {
            call.respond(200, JSON,
                    new JsonObject()
                            .put("models",
                                    new JsonArray()
                                            .add(new JsonObject().put("name", "models/gemini-2.5-flash")
                                                    .put("displayName", "Gemini 2.5 Flash")))
                            .encodePrettily());
            return;
        }
        int colon = path.lastIndexOf(':');
        if (!path.startsWith(MODELS + "/") || colon < 0 || call.body == null) {
            fail(call, 404, "Requested entity was not found.");
            return;
        }
        var model = responseModel(path.substring(MODELS.length() + 1, colon));
        switch (path.substring(colon + 1)) {
            case "generateContent" :
                call.respond(200, JSON,
                        candidateResponse(model, configuredText(), "STOP", configuredUsage().output()).encodePrettily());
                break;
            case "streamGenerateContent" :
                stream(call, model);
                break;
            case "countTokens" :
                call.respond(200, JSON, new JsonObject().put("totalTokens", configuredUsage().input()).encodePrettily());
                break;
            case "embedContent" :
                call.respond(200, JSON, new JsonObject().put("embedding", vector()).encodePrettily());
                break;
            case "batchEmbedContents" :
                var vectors = new JsonArray();
                call.body.getJsonArray("requests").forEach(request -> vectors.add(vector()));
                call.respond(200, JSON, new JsonObject().put("embeddings", vectors).encodePrettily());
                break;
            default :
                fail(call, 404, "Requested entity was not found.");
        }
    }

    /** Streams chunks with cumulative counts; the last one contains the total. */
    private void stream(StubCall call, String model) {
        var words = StubEvents.words(configuredText());
        var chunks = new ArrayList<JsonObject>();
        for (int i = 0; i < words.size(); i++) {
            chunks.add(
                    candidateResponse(model, words.get(i), null, Math.min(configuredUsage().output(), reasoningTokens() + i)));
        }
        var filler = candidateResponse(model, fillerText(), null, reasoningTokens());
        var last = candidateResponse(model, "", "STOP", configuredUsage().output());
        if ("sse".equals(call.request.getParam("alt"))) {
            stream(call, new StubEvents(chunks.stream().map(GeminiStub::data).toList(), data(filler), List.of(data(last))));
            return;
        }
        var array = new ArrayList<String>();
        for (var chunk : chunks) {
            array.add((array.isEmpty() ? "[" : ",\r\n") + chunk.encodePrettily());
        }
        call.stream(JSON, new StubEvents(array, "", List.of(",\r\n" + last.encodePrettily() + "]")).iterator(0));
    }

    private static String data(JsonObject json) {
        return "data: " + json.encode() + "\r\n\r\n";
    }

    /** @param output output tokens so far, thoughts included */
    private JsonObject candidateResponse(String model, String text, String finish, long output) {
        var candidate = new JsonObject().put("content", new JsonObject()
                .put("parts", new JsonArray().add(new JsonObject().put("text", text))).put("role", "model"));
        if (finish != null) {
            candidate.put("finishReason", finish);
        }
        return new JsonObject().put("candidates", new JsonArray().add(candidate.put("index", 0)))
                .put("usageMetadata", usage(output)).put("modelVersion", model).put("responseId", "stub" + callNumber());
    }

    /** Gemini does not include thoughts in the candidates' tokens, and leaves out counts of zero. */
    private JsonObject usage(long output) {
        var usage = configuredUsage();
        long thoughts = Math.min(reasoningTokens(), output);
        var json = new JsonObject().put("promptTokenCount", usage.input() - toolPromptTokens);
        put(json, "candidatesTokenCount", output - thoughts);
        put(json, "thoughtsTokenCount", thoughts);
        put(json, "toolUsePromptTokenCount", toolPromptTokens);
        put(json, "cachedContentTokenCount", usage.cachedInput());
        return json.put("totalTokenCount", usage.input() + output).put("promptTokensDetails", new JsonArray()
                .add(new JsonObject().put("modality", "TEXT").put("tokenCount", usage.input() - toolPromptTokens)));
    }

    private static void put(JsonObject json, String name, long tokens) {
        if (tokens > 0) {
            json.put(name, tokens);
        }
    }

    private static JsonObject vector() {
        return new JsonObject().put("values", new JsonArray().add(0.25).add(-0.5).add(0.125));
    }
}
