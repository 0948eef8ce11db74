package dev.sluice.testing.llm;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;

import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.json.JsonObject;

/**
 * The providers of {@code docs/providers.properties}, each with its settings as they are there, except that a stub on the loopback
 * address stands for the host. A stub answers below the documented path only, with the documented header for the key, and rejects
 * what the provider is known to reject.
 */
public final class NamedProviders implements QuarkusTestResourceLifecycleManager {

    /** Key for all providers that need one. */
    public static final String KEY = "key-of-sluice-for-the-provider";

    /** Usage that a provider reports in its own form, of a call with 100 input tokens and 30 output tokens. */
    private static final Map<String, String> USAGES = Map.of(
            "deepseek", """
                    {"prompt_tokens": 100, "completion_tokens": 30, "total_tokens": 130,
                     "prompt_cache_hit_tokens": 64, "prompt_cache_miss_tokens": 36}""",
            "xai", """
                    {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 130,
                     "completion_tokens_details": {"reasoning_tokens": 20}}""",
            "gemini-openai", """
                    {"prompt_tokens": 100, "completion_tokens": 12, "total_tokens": 130}""",
            "openrouter", """
                    {"prompt_tokens": 100, "completion_tokens": 30, "total_tokens": 130, "cost": 0.00123,
                     "prompt_tokens_details": {"cached_tokens": 0}}""");
    private static final String USUAL_USAGE = "{\"prompt_tokens\": 100, \"completion_tokens\": 30, \"total_tokens\": 130}";

    private static final Map<String, List<RecordedRequest>> REQUESTS = new TreeMap<>();

    private Vertx vertx;

    /** Returns the names of the providers. */
    public static List<String> names() {
        return read().stringPropertyNames().stream().filter(name -> name.endsWith(".type"))
                .map(name -> name.split("\\.")[2]).sorted().toList();
    }

    /** Returns the requests that a provider's stub has received. */
    public static List<RecordedRequest> requests(String provider) {
        return REQUESTS.get(provider);
    }

    /** Returns the path of the documented base URL of a provider. */
    public static String basePath(String provider) {
        return URI
                .create(read().getProperty("rate-limit.llm." + provider + ".base-url").replaceAll("\\$\\{[^:}]*:([^}]*)}",
                        "$1"))
                .getPath();
    }

    private static Properties read() {
        var recipes = new Properties();
        try (var reader = Files.newBufferedReader(Path.of("docs/providers.properties"))) {
            recipes.load(reader);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return recipes;
    }

    @Override
    public Map<String, String> start() {
        vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1));
        var settings = new HashMap<String, String>();
        var recipes = read();
        recipes.stringPropertyNames().forEach(name -> settings.put(name, recipes.getProperty(name)));
        for (var provider : names()) {
            REQUESTS.put(provider, new CopyOnWriteArrayList<>());
            int port = listen(provider, recipes.getProperty("rate-limit.llm." + provider + ".auth-header", "Authorization"));
            settings.put("rate-limit.llm." + provider + ".base-url", "http://127.0.0.1:" + port + basePath(provider));
            settings.computeIfPresent("rate-limit.llm." + provider + ".api-key", (name, variable) -> KEY);
        }
        // The second form of Azure's paths, with the version in the query, and deployments with names of their own.
        REQUESTS.put("azure-classic", new CopyOnWriteArrayList<>());
        settings.putAll(Map.of("rate-limit.llm.azure-classic.type", "openai",
                "rate-limit.llm.azure-classic.base-url", "http://127.0.0.1:" + listen("azure-classic", "api-key"),
                "rate-limit.llm.azure-classic.api-key", KEY, "rate-limit.llm.azure-classic.auth-header", "api-key",
                "rate-limit.llm.azure-classic.prices", "openai",
                "rate-limit.llm.azure-classic.query.api-version", "2024-10-21",
                "rate-limit.llm.azure-classic.aliases.chat-prod", "gpt-4o",
                "rate-limit.llm.azure-classic.models", "chat-*"));
        // Providers with the other two APIs.
        REQUESTS.put("claude-eu", new CopyOnWriteArrayList<>());
        REQUESTS.put("gemini-eu", new CopyOnWriteArrayList<>());
        settings.putAll(Map.of("rate-limit.llm.claude-eu.type", "anthropic",
                "rate-limit.llm.claude-eu.base-url", "http://127.0.0.1:" + listen("claude-eu", "x-api-key"),
                "rate-limit.llm.claude-eu.api-key", KEY, "rate-limit.llm.claude-eu.prices", "anthropic",
                "rate-limit.llm.gemini-eu.type", "gemini",
                "rate-limit.llm.gemini-eu.base-url", "http://127.0.0.1:" + listen("gemini-eu", "x-goog-api-key") + "/v1beta",
                "rate-limit.llm.gemini-eu.api-key", KEY, "rate-limit.llm.gemini-eu.prices", "gemini"));
        return settings;
    }

    private int listen(String provider, String authHeader) {
        return vertx.createHttpServer(new HttpServerOptions().setHost("127.0.0.1").setPort(0))
                .requestHandler(request -> request.body().onSuccess(body -> answer(provider, authHeader, request, body)))
                .listen().toCompletionStage().toCompletableFuture().join().actualPort();
    }

    private void answer(String provider, String authHeader, HttpServerRequest request, Buffer body) {
        REQUESTS.get(provider).add(
                new RecordedRequest(request.method().name(), request.uri(), request.headers(), body.toString()));
        var key = authHeader.equals("Authorization") ? "Bearer " + KEY : KEY;
        boolean keyless = provider.equals("vllm") || provider.equals("ollama");
        var json = new JsonObject(body);
        if (keyless ? request.headers().contains("Authorization") : !key.equals(request.getHeader(authHeader))) {
            respond(request, 401, "{\"error\":{\"message\":\"wrong key\"}}");
        } else if (provider.equals("mistral") && json.containsKey("stream_options")) {
            respond(request, 422, "{\"detail\":[{\"type\":\"extra_forbidden\",\"loc\":[\"body\",\"stream_options\"]}]}");
        } else if (provider.equals("azure-classic") && !request.uri().endsWith("api-version=2024-10-21")) {
            respond(request, 404, "{\"error\":{\"message\":\"Resource not found\"}}");
        } else if (provider.equals("claude-eu")) {
            respond(request, 200, "{\"type\":\"message\",\"model\":\"claude-haiku-4-5\",\"content\":[],"
                    + "\"usage\":{\"input_tokens\":100,\"output_tokens\":30}}");
        } else if (provider.equals("gemini-eu")) {
            respond(request, 200, "{\"candidates\":[],\"modelVersion\":\"gemini-2.5-flash\",\"usageMetadata\":"
                    + "{\"promptTokenCount\":100,\"candidatesTokenCount\":30,\"totalTokenCount\":130}}");
        } else {
            answerLikeOpenAi(provider, request, json);
        }
    }

    private static void answerLikeOpenAi(String provider, HttpServerRequest request, JsonObject body) {
        var usage = USAGES.getOrDefault(provider, USUAL_USAGE).replaceAll("\\s+", " ");
        var model = provider.equals("azure-classic") ? "gpt-4o-2024-11-20" : body.getString("model");
        var head = "{\"id\":\"x\",\"model\":\"" + model + "\",\"choices\":";
        if (!body.getBoolean("stream", false)) {
            respond(request, 200,
                    head + "[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Hi\"}}],\"usage\":" + usage
                            + "}");
            return;
        }
        boolean asked = body.getJsonObject("stream_options", new JsonObject()).getBoolean("include_usage", false);
        var events = new StringBuilder();
        var choices = "[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]";
        // Mistral has the usage in its last chunk, and Groq under a name of its own, without being asked.
        var last = provider.equals("mistral")
                ? ",\"usage\":" + usage
                : provider.equals("groq") ? ",\"x_groq\":{\"usage\":" + usage + "}" : "";
        events.append("data: ").append(head).append(choices).append(last).append("}\n\n");
        if (asked && !provider.equals("groq")) {
            events.append("data: ").append(head).append("[],\"usage\":").append(usage).append("}\n\n");
        }
        events.append("data: [DONE]\n\n");
        request.response().putHeader("content-type", "text/event-stream").end(events.toString());
    }

    private static void respond(HttpServerRequest request, int status, String body) {
        request.response().setStatusCode(status).putHeader("content-type", "application/json").end(body);
    }

    @Override
    public void stop() {
        if (vertx != null) {
            vertx.close().toCompletionStage().toCompletableFuture().join();
        }
    }
}
