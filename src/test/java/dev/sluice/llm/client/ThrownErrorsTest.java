package dev.sluice.llm.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;

import jakarta.inject.Inject;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderOperation;
import dev.sluice.llm.protocol.UsageExtractor;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;

/** Verifies that an Error ends a call like an exception: its reservation is released, or its usage booked. */
@QuarkusTest
@TestProfile(LlmTest.TokenRates.class)
class ThrownErrorsTest extends LlmTest {

    @Inject
    AnnotatedBean bean;
    @Inject
    LlmClients llm;

    private void assertReleased(String user) {
        awaitTokens("user:" + user, "openai", 0);
        assertThat(used("user:" + user, "llm:openai")).isEqualTo(1); // it was admitted
        assertThat(nothingBooked("user:" + user)).isTrue();
    }

    @Test
    void plainMethod() {
        assertThatThrownBy(() -> bean.erring("ena")).isInstanceOf(NoClassDefFoundError.class);
        assertReleased("ena");
    }

    @Test
    void uniMethod() {
        assertThatThrownBy(() -> bean.erringUni("enb").await().indefinitely())
                .hasRootCauseInstanceOf(NoClassDefFoundError.class);
        assertReleased("enb");
    }

    @Test
    void multiMethod() {
        assertThatThrownBy(() -> bean.erringMulti("enc").collect().asList().await().indefinitely())
                .hasRootCauseInstanceOf(NoClassDefFoundError.class);
        assertReleased("enc");
    }

    @Test
    void completionStageMethod() {
        assertThatThrownBy(() -> bean.erringStage("end").toCompletableFuture().join())
                .hasRootCauseInstanceOf(NoClassDefFoundError.class);
        assertReleased("end");
    }

    @Test
    void methodReturningNull() {
        assertThatThrownBy(() -> bean.nothing("ene").await().indefinitely()).isInstanceOf(NullPointerException.class);
        assertReleased("ene");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void llmClient(boolean streaming) {
        var user = streaming ? "enf" : "eng";
        var client = llm.client("openai", user, "pro");
        var body = new JsonObject() {
            @Override
            public Buffer toBuffer() {
                return unsendable(new JsonObject(CHAT).put("stream", streaming).put("stream_options",
                        new JsonObject().put("include_usage", true)).toBuffer());
            }
        };
        var path = "/v1/chat/completions";
        assertThatThrownBy(() -> {
            if (streaming) {
                client.stream(path, body).collect().asList().await().indefinitely();
            } else {
                client.call(path, body).await().indefinitely();
            }
        }).hasRootCauseInstanceOf(AssertionError.class).hasRootCauseMessage("on purpose");
        assertReleased(user);
    }

    /** Bytes that can be read but not sent. */
    private static Buffer unsendable(Buffer buffer) {
        return (Buffer) Proxy.newProxyInstance(Buffer.class.getClassLoader(), new Class<?>[]{Buffer.class},
                (proxy, method, arguments) -> {
                    if (StackWalker.getInstance().walk(frames -> frames.anyMatch(frame -> frame.getClassName()
                            .startsWith(ProviderHttpClient.class.getName())))) {
                        throw new AssertionError("on purpose");
                    }
                    try {
                        return method.invoke(buffer, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    @Test
    void inputStreamReadByCaller() {
        var ended = new ArrayList<UsageExtractor>();
        InputStream broken = new ByteArrayInputStream(new byte[10]) {
            @Override
            public synchronized int read(byte[] bytes, int offset, int length) {
                throw new StackOverflowError("on purpose");
            }
        };
        var reader = UsageExtractor.of(Provider.OPENAI, ProviderOperation.Shape.CHAT, "application/json", null);
        try (var stream = new UsageMeteringInputStream(broken, reader, ended::add)) {
            assertThatThrownBy(stream::read).isInstanceOf(StackOverflowError.class);
            assertThat(ended).isEqualTo(List.of(reader));
        } catch (java.io.IOException e) {
            throw new AssertionError(e);
        }
    }
}
