package dev.sluice.testing.llm;

import java.util.ArrayList;
import java.util.List;

import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** Stub of Anthropic's API: messages, token counting, models. */
public final class AnthropicStub extends ProviderStub {

    @Override
    String key(HttpServerRequest request) {
        var header = request.getHeader("x-api-key");
        var bearer = request.getHeader("Authorization");
        return header != null || bearer == null || !bearer.startsWith("Bearer ")
                ? header
                : bearer.substring("Bearer ".length());
    }

    @Override
    JsonObject error(int status, String message) {
        return new JsonObject().put("type", "error")
                .put("error", new JsonObject().put("type", type(status)).put("message", message))
                .put("request_id", "req_stub" + callNumber());
    }

    private static String type(int status) {
        switch (status) {
            case 401 :
                return "authentication_error";
            case 403 :
                return "permission_error";
            case 404 :
                return "not_found_error";
            case 429 :
                return "rate_limit_error";
            case 529 :
                return "overloaded_error";
            default :
                return status < 500 ? "invalid_request_error" : "api_error";
        }
    }

    @Override
    void respond(StubCall call) {
        call.header("request-id", "req_stub" + callNumber());
        call.header("anthropic-ratelimit-requests-limit", "50");
        call.header("anthropic-ratelimit-requests-remaining", "49");
        call.header("anthropic-ratelimit-requests-reset", "2026-11-23T10:00:00Z");
        call.header("anthropic-ratelimit-input-tokens-limit", "30000");
        call.header("anthropic-ratelimit-input-tokens-remaining", "29000");
        call.header("anthropic-ratelimit-input-tokens-reset", "2026-11-23T10:00:00Z");
        if (call.request.getHeader("anthropic-version") == null) {
            fail(call, 400, "anthropic-version: header is required");
            return;
        }
        var path = call.request.path();
        switch (call.request.method().name() + " " + path) {
            case "POST /v1/messages" :
                message(call);
                break;
            case "POST /v1/messages/count_tokens" :
                call.respondJson(200, new JsonObject().put("input_tokens", configuredUsage().input()));
                break;
            case "GET /v1/models" :
                call.respondJson(200, new JsonObject()
                        .put("data",
                                new JsonArray().add(new JsonObject().put("type", "model").put("id", "claude-haiku-4-5")
                                        .put("display_name", "Claude Haiku 4.5").put("created_at", "2025-10-01T00:00:00Z")))
                        .put("has_more", false).put("first_id", "claude-haiku-4-5").put("last_id", "claude-haiku-4-5"));
                break;
            default :
                fail(call, 404, "Not found");
        }
    }

    private void message(StubCall call) {
        if (call.body.getString("model") == null || call.body.getJsonArray("messages") == null
                || call.body.getInteger("max_tokens") == null) {
            fail(call, 400, "model, messages and max_tokens: Field required");
            return;
        }
        if (!call.body.getBoolean("stream", false)) {
            call.respondJson(200,
                    message(call, new JsonArray().add(block(configuredText())), "end_turn", usage(configuredUsage().output())));
            return;
        }
        var beginning = new ArrayList<String>();
        beginning.add(event("message_start",
                new JsonObject().put("message",
                        message(call, new JsonArray(), null, usage(Math.min(1, configuredUsage().output()))))));
        beginning.add(event("content_block_start", new JsonObject().put("index", 0).put("content_block", block(""))));
        beginning.add(event("ping", new JsonObject()));
        for (var word : StubEvents.words(configuredText())) {
            beginning.add(delta(word));
        }
        // Counts are cumulative; a null count is not reported.
        var total = new JsonObject().put("input_tokens", usage(0).getLong("input_tokens"))
                .put("cache_creation_input_tokens", null).put("cache_read_input_tokens", configuredUsage().cachedInput())
                .put("output_tokens", configuredUsage().output());
        var end = List.of(event("content_block_stop", new JsonObject().put("index", 0)),
                event("message_delta", new JsonObject()
                        .put("delta", new JsonObject().put("stop_reason", "end_turn").put("stop_sequence", null))
                        .put("usage", total)),
                event("message_stop", new JsonObject()));
        stream(call, new StubEvents(beginning, delta(fillerText()), end));
    }

    private static String delta(String text) {
        return event("content_block_delta", new JsonObject().put("index", 0)
                .put("delta", new JsonObject().put("type", "text_delta").put("text", text)));
    }

    private static String event(String type, JsonObject content) {
        return "event: " + type + "\ndata: " + new JsonObject().put("type", type).mergeIn(content).encode() + "\n\n";
    }

    private static JsonObject block(String text) {
        return new JsonObject().put("type", "text").put("text", text);
    }

    private JsonObject message(StubCall call, JsonArray content, String stopReason, JsonObject usage) {
        return new JsonObject().put("id", "msg_stub" + callNumber()).put("type", "message").put("role", "assistant")
                .put("model", responseModel(call.body.getString("model"))).put("content", content)
                .put("stop_reason", stopReason)
                .put("stop_sequence", null).put("usage", usage);
    }

    /** Anthropic does not include cached tokens in the input tokens. */
    private JsonObject usage(long output) {
        var usage = configuredUsage();
        return new JsonObject().put("input_tokens", usage.input() - usage.cachedInput() - usage.cacheWrite())
                .put("cache_creation_input_tokens", usage.cacheWrite()).put("cache_read_input_tokens", usage.cachedInput())
                .put("cache_creation",
                        new JsonObject().put("ephemeral_5m_input_tokens", usage.cacheWrite() - usage.longCacheWrite())
                                .put("ephemeral_1h_input_tokens", usage.longCacheWrite()))
                .put("output_tokens", output).put("service_tier", "standard");
    }
}
