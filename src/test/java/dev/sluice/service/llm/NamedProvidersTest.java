package dev.sluice.service.llm;

import static dev.sluice.testing.HttpTestClient.error;
import static dev.sluice.testing.HttpTestClient.header;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;

import jakarta.inject.Inject;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

import dev.sluice.llm.client.LlmClients;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.llm.LlmProfile;
import dev.sluice.testing.llm.NamedProviders;
import dev.sluice.testing.llm.ProvidersForTests;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.json.JsonObject;

/** Providers that the configuration adds: the recipes of docs/providers.properties, and what differs between them. */
@QuarkusTest
@TestProfile(LlmProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(ProvidersForTests.class)
@WithTestResource(NamedProviders.class)
class NamedProvidersTest extends LlmTestBase {

    @Inject
    LlmClients clients;

    static List<String> recipes() {
        return NamedProviders.names();
    }

    @BeforeEach
    void forgetRequests() {
        NamedProviders.names().forEach(provider -> NamedProviders.requests(provider).clear());
        NamedProviders.requests("azure-classic").clear();
    }

    private static String body(String model, boolean streaming) {
        return new JsonObject().put("model", model).put("stream", streaming)
                .put("messages", List.of(new JsonObject().put("role", "user").put("content", "Hi"))).encode();
    }

    @ParameterizedTest
    @MethodSource("recipes")
    void recipeIsForwardedAndBooked(String provider) {
        for (boolean streaming : new boolean[]{false, true}) {
            var response = http.post("/" + provider + "/v1/chat/completions", body("a-model", streaming), "Authorization",
                    "Bearer key-of-enterprise");
            assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
            assertThat(header(response, "ratelimit-policy")).isEqualTo("\"llm:" + provider + "\";q=500;w=60");
            if (streaming) {
                assertThat(response.body()).endsWith("data: [DONE]\n\n").doesNotContain("\"choices\":[]");
            }
        }
        assertThat(NamedProviders.requests(provider)).hasSize(2).allSatisfy(request -> {
            assertThat(request.uri()).isEqualTo(NamedProviders.basePath(provider) + "/chat/completions");
            assertThat(request.headers().entries().toString()).doesNotContain("key-of-enterprise");
        });
        var booked = ledger("user:enterprise", provider);
        assertThat(booked.getLong("calls")).isEqualTo(2);
        assertThat(booked.getLong("input_tokens")).isEqualTo(200);
        assertThat(booked.getLong("output_tokens")).isEqualTo(60);
        assertThat(booked.getLong("estimated_calls")).isZero();
        assertThat(booked.getLong("cached_input_tokens")).isEqualTo(provider.equals("deepseek") ? 128 : 0);
        assertThat(booked.getString("reported_cost_usd")).as(booked.encode())
                .isEqualTo(provider.equals("openrouter") ? "0.00246" : null);
    }

    @ParameterizedTest
    @CsvSource({"vllm,a-model,0,0", "ollama,llama3.2:3b,0,0", "azure,gpt-4o,0,0.00055",
            "groq,openai/gpt-oss-120b,0,0.000033", "mistral,nobody-knows-me,1,0",
            "gemini-openai,gemini-2.5-flash,0,0.000105"})
    void pricesAreThoseOfTheList(String provider, String model, long unpriced, String dollars) {
        http.post("/" + provider + "/v1/chat/completions", body(model, false), "Authorization", "Bearer key-of-wealthy");
        var booked = ledger("user:wealthy", provider);
        assertThat(booked.getLong("unpriced_calls")).isEqualTo(unpriced);
        assertThat(booked.getString("cost_usd")).isEqualTo(dollars);
    }

    @Test
    void addedHeadersAndParametersReplaceThoseOfTheCaller() {
        http.post("/openrouter/v1/chat/completions?x=1", body("a/b", false), "Authorization", "Bearer key-of-free",
                "X-Title", "mine");
        var sent = NamedProviders.requests("openrouter").get(0);
        assertThat(sent.uri()).isEqualTo("/api/v1/chat/completions?x=1");
        assertThat(sent.headers().getAll("X-Title")).containsExactly("Sluice");
        assertThat(sent.headers().get("HTTP-Referer")).isEqualTo("https://example.com");
    }

    /** The SDK for Azure puts the key into a header of its own, and the name of the deployment into the path. */
    @ParameterizedTest
    @CsvSource({"''", "?api-version=2023-01-01"})
    void deploymentOfAzureIsAModel(String query) {
        var response = http.post("/azure-classic/openai/deployments/chat-prod/chat/completions" + query,
                body("whatever", true), "api-key", "key-of-pro");
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        assertThat(NamedProviders.requests("azure-classic").get(0).uri())
                .isEqualTo("/openai/deployments/chat-prod/chat/completions?api-version=2024-10-21");
        var models = ledger("user:pro", "azure-classic").getJsonObject("models");
        assertThat(models.fieldNames()).containsExactly("chat-prod");
        assertThat(ledger("user:pro", "azure-classic").getString("cost_usd")).isEqualTo("0.00055");
    }

    @ParameterizedTest
    @CsvSource({"/openai/deployments/other/chat/completions,chat-prod,403", "/v1/chat/completions,gpt-4o,403",
            "/openai/deployments/other/images/generations,chat-prod,403",
            "/openai/deployments/chat-prod/unknown,chat-prod,403", "/openai/deployments/../x/chat/completions,chat-prod,404",
            "/openai/deployments/chat-prod/chat%2Fcompletions,chat-prod,403", "/openai/chat/completions,chat-prod,404",
            "/v1/chat/completions,chat-prod,200"})
    void onlyAllowedModelsMayBeCalled(String path, String model, int status) {
        var response = http.post("/azure-classic" + path, body(model, false), "api-key", "key-of-pro");
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        assertThat(NamedProviders.requests("azure-classic")).hasSize(status == 200 ? 1 : 0);
        if (status == 403 && !path.endsWith("unknown") && path.indexOf('%') < 0) {
            assertThat(error(response).getString("message")).contains("rate-limit.llm.azure-classic.models");
            assertThat(error(response).getString("code")).isEqualTo("model_not_allowed");
        }
    }

    /** OpenRouter answers with one of them if the model fails. */
    @Test
    void fallbacksAreRefusedWhereModelsAreRestricted() {
        var body = new JsonObject(body("chat-prod", false)).put("models", List.of("other")).encode();
        var response = http.post("/azure-classic/v1/chat/completions", body, "api-key", "key-of-pro");
        assertThat(response.statusCode()).as(response.body()).isEqualTo(403);
        assertThat(NamedProviders.requests("azure-classic")).isEmpty();
        assertThat(http.post("/openrouter/v1/chat/completions", body, "api-key", "key-of-pro").statusCode()).isEqualTo(200);
    }

    @ParameterizedTest
    @CsvSource({"claude-eu,/v1/messages,claude-haiku-4-5,0.00025", "gemini-eu,/v1beta/models/gemini-2.5-flash:generateContent,"
            + "gemini-2.5-flash,0.000105"})
    void otherApisHaveOtherNamesToo(String provider, String path, String model, String dollars) {
        var response = http.post("/" + provider + path,
                "{\"model\":\"" + model + "\",\"max_tokens\":50,\"messages\":[],\"contents\":[]}", "x-api-key", "key-of-pro");
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        assertThat(ledger("user:pro", provider).getString("cost_usd")).isEqualTo(dollars);
        assertThat(windowUsage("pro", "llm:" + provider)).isEqualTo(1);
    }

    @Test
    void clientAndApiTakeAnyName() {
        var answer = clients.client("groq", "enterprise", "enterprise")
                .chat(new JsonObject().put("model", "a-model").put("messages", List.of())).await()
                .atMost(Duration.ofSeconds(60));
        assertThat(answer.getJsonObject("usage").getLong("total_tokens")).isEqualTo(130);
        assertThat(NamedProviders.requests("groq").get(0).uri()).isEqualTo("/openai/v1/chat/completions");

        var checked = http.post("/v1/llm/check", "{\"provider\":\"groq\",\"identifier\":\"somebody\",\"tokens\":5}");
        assertThat(checked.statusCode()).as(checked.body()).isEqualTo(200);
        var reported = http.post("/v1/llm/usage", "{\"provider\":\"groq\",\"identifier\":\"somebody\",\"model\":\"m\","
                + "\"input_tokens\":7,\"output_tokens\":1}");
        assertThat(reported.statusCode()).as(reported.body()).isEqualTo(204);
        assertThat(ledger("somebody", "groq").getLong("input_tokens")).isEqualTo(7);
        var unknown = http.post("/v1/llm/check", "{\"provider\":\"grok\",\"identifier\":\"somebody\"}");
        assertThat(unknown.statusCode()).isEqualTo(400);
        assertThat(error(unknown).getJsonObject("details").getString("field")).isEqualTo("provider");
        assertThat(error(unknown).getString("message")).contains("openai, anthropic, gemini, azure,").contains("groq");
    }
}
