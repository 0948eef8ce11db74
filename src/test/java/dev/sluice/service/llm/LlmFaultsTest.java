package dev.sluice.service.llm;

import static dev.sluice.testing.HttpTestClient.header;
import static dev.sluice.testing.HttpTestClient.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;

import jakarta.inject.Inject;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.llm.limit.LlmConfig;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.testing.JwtKeys;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.llm.LlmGatewayProfile;
import dev.sluice.testing.llm.ProvidersForTests;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusMock;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;

/** Internal failures of Sluice, and misleading model names. */
@QuarkusTest
@TestProfile(LlmGatewayProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(ProvidersForTests.class)
@WithTestResource(JwtKeys.class)
class LlmFaultsTest extends LlmTestBase {

    private static final String BODY = "{\"model\":\"gpt-4o\",\"max_tokens\":50,\"messages\":[]}";

    @Inject
    LlmConfig settings;
    @Inject
    Vertx vertx;

    @Test
    void errorReleasesTheReservation() {
        var failing = new ProviderConnections(settings, vertx) {
            boolean requested;

            @Override
            Future<HttpClientRequest> request(Provider provider, HttpMethod method, String target) {
                requested = true;
                throw new NoClassDefFoundError("on purpose");
            }
        };
        try {
            QuarkusMock.installMockForType(failing, ProviderConnections.class);
            assertThat(http.post(CHAT, BODY, "Authorization", "Bearer key-of-tokens").statusCode()).isEqualTo(500);
        } finally {
            failing.close();
        }
        assertThat(failing.requested).isTrue();
        await().atMost(Duration.ofSeconds(60)).until(() -> windowUsage("tokens", "llm:openai:tokens") == 0);
        assertThat(ledger("user:tokens", "openai").isEmpty()).isTrue();
    }

    /** The provider has responded and will charge for it: the estimate is recorded. */
    @ParameterizedTest
    @ValueSource(strings = {"headers", "statusMessage", "handler"})
    void errorDuringAResponseIsRecordedAsEstimate(String where) {
        var failing = new ProviderConnections(settings, vertx) {
            @Override
            Future<HttpClientRequest> request(Provider provider, HttpMethod method, String target) {
                return super.request(provider, method, target).map(request -> failing(request, where));
            }
        };
        try {
            QuarkusMock.installMockForType(failing, ProviderConnections.class);
            assertThat(http.post(CHAT, BODY, "Authorization", "Bearer key-of-tokens").statusCode()).isEqualTo(500);
        } finally {
            failing.close();
        }
        await().atMost(60, TimeUnit.SECONDS)
                .untilAsserted(() -> assertThat(ledger("user:tokens", "openai").getLong("estimated_calls")).isEqualTo(1));
    }

    private static HttpClientRequest failing(HttpClientRequest request, String where) {
        return proxy(HttpClientRequest.class, request, (method, arguments) -> method.equals("response")
                ? request.response().map(response -> failing(response, where))
                : null);
    }

    @SuppressWarnings("unchecked")
    private static HttpClientResponse failing(HttpClientResponse response, String where) {
        return proxy(HttpClientResponse.class, response, (method, arguments) -> {
            if (!method.equals(where)) {
                return null;
            }
            if (!method.equals("handler")) {
                throw new NoClassDefFoundError("on purpose");
            }
            var handler = (Handler<Buffer>) arguments[0];
            return response.handler(chunk -> handler.handle(proxy(Buffer.class, chunk, (read, none) -> {
                throw new NoClassDefFoundError("on purpose");
            })));
        });
    }

    /** @param override replaces a method call, given its name and arguments; null to call the real method */
    private static <T> T proxy(Class<T> type, T real, BiFunction<String, Object[], Object> override) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[]{type}, (self, method, arguments) -> {
            var result = override.apply(method.getName(), arguments);
            try {
                result = result == null ? method.invoke(real, arguments) : result;
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
            return result == real ? self : result;
        }));
    }

    /** A call is denied by the rule that applies to it, whatever the model is called. */
    @ParameterizedTest
    @CsvSource({"x:budget, requests, ", "x:tokens, budget, false"})
    void modelNamedLikeAResourceSuffixHasItsOwnRule(String model, String type, String shouldRetry) {
        var body = BODY.replace("gpt-4o", model);
        http.post(CHAT, body, "Authorization", "Bearer key-of-pro");
        var denied = http.post(CHAT, body, "Authorization", "Bearer key-of-pro");
        assertThat(denied.statusCode()).isEqualTo(429);
        assertThat(json(denied).getJsonObject("error").getString("type")).isEqualTo(type);
        assertThat(header(denied, "x-should-retry")).isEqualTo(shouldRetry);
    }
}
