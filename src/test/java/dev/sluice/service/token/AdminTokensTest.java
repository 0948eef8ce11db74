package dev.sluice.service.token;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;

import dev.sluice.config.ConfigProblems;
import dev.sluice.identity.Sha256;
import dev.sluice.service.config.ServiceConfig;
import io.smallrye.config.SmallRyeConfigBuilder;

/** Admin tokens of the settings. */
class AdminTokensTest {

    private static AdminTokens tokens(Map<String, String> settings) {
        var named = new HashMap<String, String>();
        settings.forEach((name, value) -> named.put("rate-limit." + name, value));
        var config = new SmallRyeConfigBuilder().withMapping(AdminTokenConfig.class).withMapping(ServiceConfig.class)
                .addDiscoveredConverters()
                .withDefaultValues(named).withValidateUnknown(false).build();
        return new AdminTokens(config.getConfigMapping(AdminTokenConfig.class), config.getConfigMapping(ServiceConfig.class));
    }

    private static List<String> problems(Map<String, String> settings) {
        var problems = new ConfigProblems();
        tokens(settings).validate(problems);
        return problems.lines();
    }

    @Test
    void scopeIsReadByDefault() {
        var tokens = tokens(Map.of("admin-token", " root ", "admin-tokens.a.sha256", " " + Sha256.hex("a").toUpperCase(
                java.util.Locale.ROOT), "admin-tokens.b.sha256", Sha256.hex("b"), "admin-tokens.b.scope", "write",
                "admin-tokens.b.team", " search "));
        assertThat(tokens.find("root")).isEqualTo(AdminAccess.UNRESTRICTED);
        assertThat(tokens.find("a")).isEqualTo(new AdminAccess("a", AdminScope.READ, null));
        assertThat(tokens.find("b")).isEqualTo(new AdminAccess("b", AdminScope.WRITE, "search"));
        assertThat(tokens.find("c")).isNull();
        assertThat(tokens.find("")).isNull();
    }

    @Test
    void noTokenIsConfigured() {
        assertThat(tokens(Map.of("admin-token", " ")).isEmpty()).isTrue();
        assertThat(tokens(Map.of("admin-tokens.a.sha256", Sha256.hex("a"))).isEmpty()).isFalse();
    }

    @Test
    void mistakesAreReported() {
        assertThat(problems(Map.of("admin-tokens.a.scope", "write"))).singleElement().asString()
                .startsWith("rate-limit.admin-tokens.a.sha256=: missing; must be the SHA-256");
        assertThat(problems(Map.of("admin-tokens.a.sha256", "secret"))).singleElement().asString()
                .startsWith("rate-limit.admin-tokens.a.sha256=(not shown): must be").doesNotContain("secret");
        assertThat(problems(Map.of("admin-tokens.a.sha256", Sha256.hex("a"), "admin-tokens.b.sha256", Sha256.hex("a"))))
                .singleElement().asString().contains("admin-tokens.b.sha256", "a hash of its own");
        for (var other : List.of("admin-token", "api-token")) {
            assertThat(problems(Map.of(other, "a", "admin-tokens.b.sha256", Sha256.hex("a")))).singleElement().asString()
                    .contains("a hash of its own");
        }
        assertThat(problems(Map.of("admin-tokens.a.sha256", Sha256.hex("a"), "admin-tokens.a.team", "a/b"))).singleElement()
                .asString().startsWith("rate-limit.admin-tokens.a.team=a/b: the team must have");
        assertThat(problems(Map.of("admin-tokens.admin-token.sha256", Sha256.hex("a")))).singleElement().asString()
                .contains("not be admin-token");
    }
}
