package dev.sluice.service.observability;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.regex.Pattern;

import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.Test;

import dev.sluice.service.llm.LlmTestBase;
import dev.sluice.testing.HttpTestClient;
import dev.sluice.testing.JwtKeys;
import dev.sluice.testing.RedisTestResource;
import dev.sluice.testing.llm.LlmGatewayProfile;
import dev.sluice.testing.llm.LlmProfile;
import dev.sluice.testing.llm.ProvidersForTests;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/** Verifies that {@code /q/metrics} of a service that has been used describes every metric. */
@QuarkusTest
@TestProfile(LlmGatewayProfile.class)
@WithTestResource(RedisTestResource.class)
@WithTestResource(ProvidersForTests.class)
@WithTestResource(JwtKeys.class)
class MetricsHelpTest extends LlmTestBase {

    private static final Pattern HELP = Pattern.compile("# HELP (\\S+) (.*)");
    private static final Pattern UNEXPLAINED = Pattern.compile("\\s*\\.?\\s*");

    @ConfigProperty(name = "quarkus.management.test-port", defaultValue = "9001")
    int managementPort;

    private String scrape() {
        return new HttpTestClient(managementPort).get("/q/metrics").body();
    }

    private void use() {
        for (var key : new String[]{"key-of-pro", "key-of-free", "wrong"}) {
            for (var model : new String[]{"gpt-4o", "nobody-knows-me"}) {
                http.post("/openai/v1/chat/completions", "{\"model\":\"" + model + "\",\"messages\":[]}", "Authorization",
                        "Bearer " + key);
            }
        }
        http.get("/openai/v1/models", "Authorization", "Bearer key-of-pro");
        for (int i = 0; i < 2; i++) {
            http.post("/v1/check", "{\"identifier\":\"a\",\"resource\":\"b\",\"rate\":\"1/minute\"}");
        }
        http.post("/v1/llm/check",
                "{\"provider\":\"openai\",\"identifier\":\"a\",\"tier\":\"pro\",\"model\":\"gpt-4o\",\"tokens\":10}");
        http.get("/v1/limits?identifier=a", "Authorization", LlmProfile.ADMIN_AUTHORIZATION);
        http.get("/v1/limits?identifier=a", "Authorization", "Bearer wrong");
        http.get("/unknown");
    }

    @Test
    void everyMetricHasHelp() {
        use();
        var helps = HELP.matcher(scrape());
        int found = 0;
        while (helps.find()) {
            found++;
            assertThat(helps.group(2)).as(helps.group(1)).doesNotMatch(UNEXPLAINED);
            System.err.println("NOHELP " + helps.group(0));
        }
        assertThat(found).isGreaterThan(50);
    }

    @Test
    void buildIsReported() {
        assertThat(scrape()).containsPattern(
                "sluice_build_info\\{commit=\"\\w+\",java=\"" + Pattern.quote(System.getProperty("java.version"))
                        + "\",version=\"\\d[^\"$]*\"} 1\\.0");
    }
}
