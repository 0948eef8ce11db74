package dev.sluice.service.llm;

import static dev.sluice.testing.HttpTestClient.header;
import static dev.sluice.testing.HttpTestClient.json;
import static dev.sluice.testing.Polling.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;

import jakarta.inject.Inject;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.llm.config.LlmConfig;
import dev.sluice.llm.config.Providers;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.service.proxy.ExchangeListener;
import dev.sluice.service.proxy.WebSocketTunnels;
import dev.sluice.service.proxy.connection.UpstreamTls;
import dev.sluice.testing.JwtKeys;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.llm.LlmGatewayProfile;
import dev.sluice.testing.llm.ProvidersForTests;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusMock;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.MultiMap;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.ext.web.RoutingContext;

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
    Providers providers;
    @Inject
    UpstreamTls tls;
    @Inject
    Vertx vertx;
    @Inject
    WebSocketTunnels tunnels;

    /** Upstreams that fail by a defect. */
    private class FailingUpstreams extends ProviderUpstreams {

        private final UnaryOperator<ExchangeListener> listeners;
        private boolean requested;

        FailingUpstreams(UnaryOperator<ExchangeListener> listeners) {
            super(settings, providers, tls, vertx, new SimpleMeterRegistry(), tunnels);
            this.listeners = listeners;
        }

        @Override
        void forward(Provider provider, RoutingContext context, String target, MultiMap headers, Buffer body,
                ExchangeListener listener) {
            requested = true;
            super.forward(provider, context, target, headers, body, listeners.apply(listener));
        }
    }

    private static ExchangeListener fail() {
        throw new NoClassDefFoundError("on purpose");
    }

    @Test
    void errorReleasesTheReservation() {
        var failing = new FailingUpstreams(listener -> fail());
        QuarkusMock.installMockForType(failing, ProviderUpstreams.class);
        assertThat(http.post(CHAT, BODY, "Authorization", "Bearer key-of-tokens").statusCode()).isEqualTo(500);
        assertThat(failing.requested).isTrue();
        await().atMost(Duration.ofSeconds(60)).until(() -> windowUsage("tokens", "llm:openai:tokens") == 0);
        assertThat(ledger("user:tokens", "openai").isEmpty()).isTrue();
    }

    /** The provider has responded and will charge for it: the estimate is recorded. */
    @ParameterizedTest
    @ValueSource(strings = {"onResponse", "onChunk"})
    void errorDuringAResponseIsRecordedAsEstimate(String where) {
        QuarkusMock.installMockForType(new FailingUpstreams(listener -> failingIn(listener, where)), ProviderUpstreams.class);
        assertThat(http.post(CHAT, BODY, "Authorization", "Bearer key-of-tokens").statusCode()).isEqualTo(500);
        await().atMost(60, TimeUnit.SECONDS)
                .untilAsserted(() -> assertThat(ledger("user:tokens", "openai").getLong("estimated_calls")).isEqualTo(1));
    }

    /** Fails in a method, after {@code onResponse} has taken note of the response. */
    private static ExchangeListener failingIn(ExchangeListener listener, String where) {
        return (ExchangeListener) Proxy.newProxyInstance(ExchangeListener.class.getClassLoader(),
                new Class<?>[]{ExchangeListener.class}, (self, method, arguments) -> {
                    if (method.getName().equals(where) && !where.equals("onResponse")) {
                        fail();
                    }
                    Object result;
                    try {
                        result = method.invoke(listener, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                    return method.getName().equals(where) ? fail() : result;
                });
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
