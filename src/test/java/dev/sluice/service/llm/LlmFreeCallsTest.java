package dev.sluice.service.llm;

import static dev.sluice.testing.HttpTestClient.error;
import static dev.sluice.testing.HttpTestClient.header;
import static dev.sluice.testing.HttpTestClient.json;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpResponse;
import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.llm.FreeCallsProfile;
import dev.sluice.testing.llm.LlmProfile;
import dev.sluice.testing.llm.ProviderStub;
import dev.sluice.testing.llm.ProvidersForTests;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/** The rate of calls that use no tokens. */
@QuarkusTest
@TestProfile(FreeCallsProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(ProvidersForTests.class)
class LlmFreeCallsTest extends LlmTestBase {

    private static final String BODY = "{\"model\":\"gpt-4o\",\"messages\":[],\"contents\":[]}";

    private ProviderStub stub(String provider) {
        return switch (provider) {
            case "openai" -> openAi;
            case "anthropic" -> anthropic;
            default -> gemini;
        };
    }

    private HttpResponse<String> models(String user) {
        return http.get("/openai/v1/models", "X-API-Key", "key-of-" + user);
    }

    @ParameterizedTest
    @CsvSource({"openai,/v1/models,/v1/responses/input_tokens", "anthropic,/v1/models,/v1/messages/count_tokens",
            "gemini,/v1beta/models,/v1beta/models/gemini-2.5-flash:countTokens"})
    void callsThatUseNoTokensShareARatePerProvider(String provider, String listing, String counting) {
        for (int i = 2; i >= 0; i--) {
            var path = "/" + provider + (i == 1 ? listing : counting);
            var response = i == 1
                    ? http.get(path, "X-API-Key", "key-of-free", "anthropic-version", "1")
                    : http.post(path, BODY, "X-API-Key", "key-of-free", "anthropic-version", "1");
            assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
            assertThat(header(response, "x-ratelimit-limit")).isEqualTo("3");
            assertThat(header(response, "x-ratelimit-remaining")).isEqualTo(Integer.toString(i));
        }
        var denied = http.get("/" + provider + listing, "X-API-Key", "key-of-free");
        assertThat(denied.statusCode()).isEqualTo(429);
        assertThat(header(denied, "ratelimit-policy")).isEqualTo("\"llm:" + provider + ":free\";q=3;w=60");
        assertThat(Integer.parseInt(header(denied, "retry-after"))).isBetween(1, 60);
        assertThat(header(denied, "retry-after-ms")).isNotNull();
        assertThat(error(denied).getString("message")).contains("Limit 3, Used 3, Requested 1");
        switch (provider) {
            case "openai" -> assertThat(error(denied).getString("code")).isEqualTo("rate_limit_exceeded");
            case "anthropic" -> assertThat(error(denied).getString("type")).isEqualTo("rate_limit_error");
            default -> assertThat(error(denied).getString("status")).isEqualTo("RESOURCE_EXHAUSTED");
        }
        assertThat(stub(provider).requests()).hasSize(3);
        assertThat(ledger("user:free")).isEmpty();
        assertThat(admin.limits("user:free").await().indefinitely()).isEqualTo(Map.of("llm:" + provider + ":free", 3L));
    }

    @Test
    void otherCallsHaveTheirOwnRate() {
        for (int i = 0; i < 3; i++) {
            assertThat(models("free").statusCode()).isEqualTo(200);
        }
        assertThat(models("free").statusCode()).isEqualTo(429);
        assertThat(http.post(CHAT, BODY, "X-API-Key", "key-of-free").statusCode()).isEqualTo(200);
        assertThat(models("pro").statusCode()).isEqualTo(200);
        assertThat(http.get("/gemini/v1beta/models", "X-API-Key", "key-of-free").statusCode()).isEqualTo(200);
    }

    @Test
    void tiersMayHaveRatesOfTheirOwn() {
        for (int i = 0; i < 10; i++) {
            assertThat(models("wealthy").statusCode()).isEqualTo(200);
        }
        var blocked = models("enterprise");
        assertThat(blocked.statusCode()).isEqualTo(429);
        assertThat(error(blocked).getString("message")).isEqualTo("Calls that use no tokens are not allowed");
        assertThat(header(blocked, "x-should-retry")).isEqualTo("false");
    }

    @Test
    void windowIsReadAndResetLikeOthers() {
        for (int i = 0; i < 3; i++) {
            assertThat(models("free").statusCode()).isEqualTo(200);
        }
        var usage = http.get("/v1/usage?identifier=user:free&resource=llm:openai:free&window_seconds=60", "Authorization",
                LlmProfile.ADMIN_AUTHORIZATION);
        assertThat(json(usage).getInteger("current")).isEqualTo(3);
        var check = http.post("/v1/check",
                "{\"identifier\":\"user:free\",\"resource\":\"llm:openai:free\",\"tier\":\"free\",\"cost\":0}", "Authorization",
                LlmProfile.ADMIN_AUTHORIZATION);
        assertThat(json(check).getInteger("remaining")).as(check.body()).isZero();
        assertThat(http.send("DELETE", "/v1/limits?identifier=user:free&resource=llm:openai:free", null, "Authorization",
                LlmProfile.ADMIN_AUTHORIZATION).statusCode()).isEqualTo(204);
        assertThat(models("free").statusCode()).isEqualTo(200);
    }

    @Test
    void decisionsAreMeteredButNotAsCalls() {
        double calls = meters.find("llm_calls").counters().stream().mapToDouble(counter -> counter.count()).sum();
        models("free");
        assertThat(meters.get("rate_limit_decisions").tag("resource", "llm:openai:free").tag("tier", "free")
                .tag("outcome", "allowed").tag("store", "redis").counter().count()).isPositive();
        assertThat(meters.find("llm_calls").counters().stream().mapToDouble(counter -> counter.count()).sum()).isEqualTo(calls);
    }
}
