package dev.sluice.service.llm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.testing.JwtKeys;
import dev.sluice.testing.RawHttpConnection;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.llm.LlmGatewayProfile;
import dev.sluice.testing.llm.LlmProfile;
import dev.sluice.testing.llm.ProvidersForTests;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/** The request headers that a provider receives. */
@QuarkusTest
@TestProfile(LlmGatewayProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(ProvidersForTests.class)
@WithTestResource(JwtKeys.class)
class LlmForwardedHeadersTest extends LlmTestBase {

    private static final List<String> FORWARDED = List.of("Accept", "Accept-Language", "Content-Type", "User-Agent", "Range",
            "If-Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "Idempotency-Key",
            "X-Request-Id", "X-Client-Request-Id", "tracestate", "X-Server-Timeout", "X-App", "X-Session-Id", "originator",
            "session_id", "conversation_id", "OpenAI-Beta", "X-OpenAI-Client-User-Agent",
            "X-Stainless-Lang", "anthropic-version", "anthropic-beta", "x-goog-api-client", "X-Codex-Turn-State",
            "X-Claude-Code-Session-Id", "X-Kept", "X-ACME-Team");
    private static final List<String> DROPPED = List.of("X-Forwarded-For", "X_Forwarded_For", "X-Forwarded-Host",
            "X-Forwarded-Proto", "Forwarded", "X-Real-IP", "X-Client-IP", "CF-Connecting-IP", "True-Client-IP", "Via", "Cookie",
            "Cookie2", "Referer", "Origin", "X-User-Id", "X_User_Id", "X-User-Tier", "X-Custom", "X-Kept-Too", "DNT",
            "Sec-Fetch-Site", "baggage", "X-HTTP-Method-Override", "Proxy-Authorization", "X-Goog-Authenticated-User-Email",
            "X-Goog-IAP-JWT-Assertion", "api-key", "X-Goog-Api_Key", "openai_beta", "Expect-CT", "TE", "HTTP2-Settings",
            "OpenAI-Organization",
            "OpenAI-Project", "OpenAI_Project", "X-Goog-User-Project");

    private Set<String> seen(String... headers) throws IOException {
        var response = RawHttpConnection.exchange(port,
                RawHttpConnection.post(CHAT, "{\"model\":\"gpt-4o\",\"messages\":[]}", headers)
                        .replace("Content-Type: application/json\r\n", ""));
        assertThat(response.status()).as(response.text()).isEqualTo(200);
        var names = new TreeSet<String>();
        openAi.lastRequest().headers().names().forEach(name -> names.add(name.toLowerCase(Locale.ROOT)));
        return names;
    }

    @Test
    void onlyHeadersOnTheAllowListAreForwarded() throws IOException {
        var sent = new ArrayList<>(List.of("Authorization: Bearer key-of-pro", "Accept-Encoding: br, gzip"));
        FORWARDED.forEach(name -> sent.add(name + ": of-" + name));
        DROPPED.forEach(name -> sent.add(name + ": value"));
        var expected = new TreeSet<>(Set.of("host", "content-length", "authorization", "accept-encoding"));
        FORWARDED.forEach(name -> expected.add(name.toLowerCase(Locale.ROOT)));

        var seen = seen(sent.toArray(String[]::new));
        seen.remove("traceparent"); // of Sluice's own tracing
        assertThat(seen).isEqualTo(expected);
        FORWARDED.forEach(name -> assertThat(openAi.lastRequest().header(name)).isEqualTo("of-" + name));
        assertThat(openAi.lastRequest().header("accept-encoding")).isEqualTo("gzip");
        assertThat(openAi.lastRequest().headers().getAll("authorization"))
                .containsExactly("Bearer " + LlmProfile.OPENAI_KEY);
    }

    @Test
    void headersOfTheConnectionAndKeysOfSluiceAreDropped() throws IOException {
        var seen = seen("Authorization: Bearer key-of-pro", "Connection: X-Request-Id, keep-alive", "X-Request-Id: 1",
                "X-Kept: key-of-pro", "X-Acme-Key: Bearer key-of-free", "X-Acme-Other: 1");
        assertThat(seen).contains("x-acme-other").doesNotContain("x-request-id", "x-kept", "x-acme-key");
    }

    /** Of Sluice, whatever surrounds them. */
    @ParameterizedTest
    @ValueSource(strings = {"key-of-pro", "a,key-of-pro", "a; k=\"key-of-pro\"", "{\"key\":\"key-of-pro\"}",
            "Bearer key-of-pro x"})
    void keysInValuesAreNotForwarded(String value) throws IOException {
        var seen = seen("Authorization: Bearer key-of-pro", "X-Request-Id: " + value, "X-Client-Request-Id: key-of-pro-not");
        assertThat(seen).noneMatch(header -> header.toLowerCase(Locale.ROOT).startsWith("x-request-id"));
        assertThat(openAi.lastRequest().headers().get("X-Client-Request-Id")).isEqualTo("key-of-pro-not");
        assertThat(openAi.lastRequest().headers().get("X-Request-Id")).isNull();
    }

    @Test
    void repeatedHeadersKeepTheirOrder() throws IOException {
        seen("Authorization: Bearer key-of-pro", "anthropic-beta: a", "Anthropic-Beta: b", "anthropic-beta: a");
        assertThat(openAi.lastRequest().headers().getAll("anthropic-beta")).containsExactly("a", "b", "a");
    }
}
