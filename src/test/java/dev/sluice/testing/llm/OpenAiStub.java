package dev.sluice.testing.llm;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** Stub of OpenAI's API: chat completions, responses, embeddings, models. */
public final class OpenAiStub extends ProviderStub {

    private static final long CREATED = 1_795_000_000;
    private static final float[] VECTOR = {0.25f, -0.5f, 0.125f};

    private volatile String finalStatus = "completed";

    @Override
    public void reset() {
        super.reset();
        finalStatus = "completed";
    }

    /** Sets the final status of a response: {@code completed}, {@code incomplete} or {@code failed}. */
    public void finalStatus(String status) {
        finalStatus = status;
    }

    @Override
    String key(HttpServerRequest request) {
        var header = request.getHeader("Authorization");
        return header != null && header.startsWith("Bearer ") ? header.substring("Bearer ".length()) : null;
    }

    @Override
    JsonObject error(int status, String message) {
        var type = status == 429 ? "requests" : status >= 500 ? "server_error" : "invalid_request_error";
        var code = status == 429 ? "rate_limit_exceeded" : status == 401 ? "invalid_api_key" : null;
        return new JsonObject().put("error",
                new JsonObject().put("message", message).put("type", type).put("param", null).put("code", code));
    }

    @Override
    void respond(StubCall call) {
        call.header("x-request-id", "req_stub" + callNumber());
        call.header("x-ratelimit-limit-requests", "500");
        call.header("x-ratelimit-remaining-requests", "499");
        call.header("x-ratelimit-reset-requests", "120ms");
        call.header("x-ratelimit-limit-tokens", "30000");
        call.header("x-ratelimit-remaining-tokens", "29988");
        call.header("x-ratelimit-reset-tokens", "6m0s");
        var path = call.request.path();
        switch (call.request.method().name() + " " + path) {
            case "POST /v1/chat/completions" :
                chat(call);
                break;
            case "POST /v1/responses" :
                createResponse(call);
                break;
            case "POST /v1/responses/input_tokens" :
                call.respondJson(200,
                        new JsonObject().put("object", "response.input_tokens").put("input_tokens", configuredUsage().input()));
                break;
            case "POST /v1/responses/compact" :
                call.respondJson(200,
                        new JsonObject().put("id", "resp_stub" + callNumber()).put("object", "response.compaction")
                                .put("created_at", CREATED)
                                .put("output", new JsonArray().add(message("completed", configuredText())))
                                .put("usage", responseUsage()));
                break;
            case "POST /v1/embeddings" :
                embed(call);
                break;
            case "GET /v1/models" :
                call.respondJson(200, new JsonObject().put("object", "list").put("data",
                        new JsonArray().add(new JsonObject().put("id", "gpt-4o").put("object", "model").put("created", CREATED)
                                .put("owned_by", "openai"))));
                break;
            default :
                fail(call, 404, "Invalid URL (" + call.request.method() + " " + path + ")");
        }
    }

    private void chat(StubCall call) {
        if (call.body.getString("model") == null || call.body.getJsonArray("messages") == null) {
            fail(call, 400, "you must provide a model and messages");
            return;
        }
        if (!Boolean.TRUE.equals(call.body.getValue("stream"))) {
            var message = new JsonObject().put("role", "assistant").put("content", configuredText()).put("refusal", null)
                    .put("annotations", new JsonArray());
            call.respondJson(200,
                    completion(call, "chat.completion", choice("message", message, "stop")).put("usage", chatUsage()));
            return;
        }
        boolean includeUsage = call.body.getJsonObject("stream_options", new JsonObject()).getBoolean("include_usage", false);
        var beginning = new ArrayList<String>();
        beginning.add(chunk(call, includeUsage,
                choice("delta", new JsonObject().put("role", "assistant").put("content", "").put("refusal", null), null)));
        for (var word : StubEvents.words(configuredText())) {
            beginning.add(chunk(call, includeUsage, choice("delta", new JsonObject().put("content", word), null)));
        }
        var end = new ArrayList<String>();
        end.add(chunk(call, includeUsage, choice("delta", new JsonObject(), "stop")));
        if (includeUsage) {
            end.add(data(completion(call, "chat.completion.chunk", null).put("usage", chatUsage())));
        }
        end.add("data: [DONE]\n\n");
        var filler = chunk(call, includeUsage, choice("delta", new JsonObject().put("content", fillerText()), null));
        stream(call, new StubEvents(beginning, filler, end));
    }

    private String chunk(StubCall call, boolean includeUsage, JsonObject choice) {
        var chunk = completion(call, "chat.completion.chunk", choice);
        return data(includeUsage ? chunk.put("usage", null) : chunk);
    }

    private JsonObject completion(StubCall call, String object, JsonObject choice) {
        return new JsonObject().put("id", "chatcmpl-stub" + callNumber()).put("object", object).put("created", CREATED)
                .put("model", responseModel(call.body.getString("model"))).put("service_tier", "default")
                .put("system_fingerprint", "fp_stub")
                .put("choices", choice == null ? new JsonArray() : new JsonArray().add(choice));
    }

    private static JsonObject choice(String kind, JsonObject content, String finish) {
        return new JsonObject().put("index", 0).put(kind, content).put("logprobs", null).put("finish_reason", finish);
    }

    private static String data(JsonObject json) {
        return "data: " + json.encode() + "\n\n";
    }

    private JsonObject chatUsage() {
        var usage = configuredUsage();
        return new JsonObject().put("prompt_tokens", usage.input()).put("completion_tokens", usage.output())
                .put("total_tokens", usage.total())
                .put("prompt_tokens_details", new JsonObject().put("cached_tokens", usage.cachedInput()).put("audio_tokens", 0))
                .put("completion_tokens_details",
                        new JsonObject().put("reasoning_tokens", reasoningTokens()).put("audio_tokens", 0)
                                .put("accepted_prediction_tokens", 0).put("rejected_prediction_tokens", 0));
    }

    private void createResponse(StubCall call) {
        if (call.body.getString("model") == null) {
            fail(call, 400, "you must provide a model");
            return;
        }
        if (!Boolean.TRUE.equals(call.body.getValue("stream"))) {
            call.respondJson(200, response(call, finalStatus));
            return;
        }
        var inProgress = new JsonObject().put("response", response(call, "in_progress"));
        var beginning = new ArrayList<String>();
        beginning.add(event(0, "response.created", inProgress));
        beginning.add(event(1, "response.in_progress", inProgress));
        beginning.add(event(2, "response.output_item.added",
                new JsonObject().put("output_index", 0).put("item", message("in_progress", null))));
        beginning.add(event(3, "response.content_part.added", part().put("part", outputText(""))));
        for (var word : StubEvents.words(configuredText())) {
            beginning.add(event(beginning.size(), "response.output_text.delta", delta(word)));
        }
        int next = beginning.size();
        var end = List.of(
                event(next, "response.output_text.done", part().put("text", configuredText()).put("logprobs", new JsonArray())),
                event(next + 1, "response.content_part.done", part().put("part", outputText(configuredText()))),
                event(next + 2, "response.output_item.done",
                        new JsonObject().put("output_index", 0).put("item", message("completed", configuredText()))),
                event(next + 3, "response." + finalStatus, new JsonObject().put("response", response(call, finalStatus))));
        var filler = event(next, "response.output_text.delta", delta(fillerText()));
        stream(call, new StubEvents(beginning, filler, end));
    }

    private static String event(int number, String type, JsonObject content) {
        return "event: " + type + "\ndata: "
                + new JsonObject().put("type", type).put("sequence_number", number).mergeIn(content).encode() + "\n\n";
    }

    private static JsonObject delta(String text) {
        return part().put("delta", text).put("logprobs", new JsonArray());
    }

    private static JsonObject part() {
        return new JsonObject().put("item_id", "msg_stub").put("output_index", 0).put("content_index", 0);
    }

    private static JsonObject outputText(String text) {
        return new JsonObject().put("type", "output_text").put("text", text).put("annotations", new JsonArray())
                .put("logprobs", new JsonArray());
    }

    private static JsonObject message(String status, String text) {
        return new JsonObject().put("type", "message").put("id", "msg_stub").put("status", status).put("role", "assistant")
                .put("content", text == null ? new JsonArray() : new JsonArray().add(outputText(text)));
    }

    /** Returns a response; one in progress has no output and usage. */
    private JsonObject response(StubCall call, String status) {
        boolean ended = !status.equals("in_progress");
        return new JsonObject().put("id", "resp_stub" + callNumber()).put("object", "response").put("created_at", CREATED)
                .put("status", status)
                .put("error",
                        status.equals("failed")
                                ? new JsonObject().put("code", "server_error").put("message", "The stub fails as configured.")
                                : null)
                .put("incomplete_details",
                        status.equals("incomplete") ? new JsonObject().put("reason", "max_output_tokens") : null)
                .put("instructions", null).put("max_output_tokens", null)
                .put("model", responseModel(call.body.getString("model")))
                .put("output", ended ? new JsonArray().add(message("completed", configuredText())) : new JsonArray())
                .put("parallel_tool_calls", true).put("previous_response_id", null)
                .put("reasoning", new JsonObject().put("effort", null).put("summary", null)).put("store", true)
                .put("temperature", 1.0).put("text", new JsonObject().put("format", new JsonObject().put("type", "text")))
                .put("tool_choice", "auto").put("tools", new JsonArray()).put("top_p", 1.0).put("truncation", "disabled")
                .put("usage", ended ? responseUsage() : null).put("user", null).put("metadata", new JsonObject());
    }

    private JsonObject responseUsage() {
        var usage = configuredUsage();
        return new JsonObject().put("input_tokens", usage.input())
                .put("input_tokens_details", new JsonObject().put("cached_tokens", usage.cachedInput()))
                .put("output_tokens", usage.output())
                .put("output_tokens_details", new JsonObject().put("reasoning_tokens", reasoningTokens()))
                .put("total_tokens", usage.total());
    }

    private void embed(StubCall call) {
        var input = call.body.getValue("input");
        if (call.body.getString("model") == null || input == null) {
            fail(call, 400, "you must provide a model and an input");
            return;
        }
        boolean base64 = "base64".equals(call.body.getString("encoding_format"));
        var data = new JsonArray();
        int texts = input instanceof JsonArray array ? array.size() : 1;
        for (int i = 0; i < texts; i++) {
            data.add(
                    new JsonObject().put("object", "embedding").put("index", i).put("embedding",
                            base64 ? base64Vector() : vector()));
        }
        call.respondJson(200, new JsonObject().put("object", "list").put("data", data)
                .put("model", responseModel(call.body.getString("model"))).put("usage",
                        new JsonObject().put("prompt_tokens", configuredUsage().input()).put("total_tokens",
                                configuredUsage().input())));
    }

    private static JsonArray vector() {
        var vector = new JsonArray();
        for (var value : VECTOR) {
            vector.add(value);
        }
        return vector;
    }

    private static String base64Vector() {
        var bytes = ByteBuffer.allocate(VECTOR.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(VECTOR);
        return Base64.getEncoder().encodeToString(bytes.array());
    }
}
