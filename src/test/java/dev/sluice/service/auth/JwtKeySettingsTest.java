package dev.sluice.service.auth;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.sluice.config.ConfigProblems;
import dev.sluice.service.config.ServiceConfig;
import io.quarkus.runtime.configuration.DurationConverter;
import io.quarkus.runtime.configuration.MemorySize;
import io.quarkus.runtime.configuration.MemorySizeConverter;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;

class JwtKeySettingsTest {

    private static final String SECRET = "{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}";

    private static JwtKeySettings settings(Map<String, String> properties) {
        var config = new SmallRyeConfigBuilder().withMapping(ServiceConfig.class)
                .withConverter(Duration.class, 100, new DurationConverter())
                .withConverter(MemorySize.class, 100, new MemorySizeConverter()).withValidateUnknown(false)
                .withSources(new PropertiesConfigSource(properties, "test", 100)).build();
        return new JwtKeySettings(config, config.getConfigMapping(ServiceConfig.class));
    }

    private static List<String> problems(Map<String, String> properties) {
        var problems = new ConfigProblems();
        settings(properties).validate(problems);
        return problems.lines();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
            "rate-limit.jwt.timeout | 0ms | a duration from 1ms to 1m", "rate-limit.jwt.timeout | 2m | from 1ms to 1m",
            "rate-limit.jwt.min-refresh-interval | 500ms | a duration from 1s to 1d",
            "rate-limit.jwt.min-refresh-interval | 25h | a duration from 1s to 1d",
            "mp.jwt.verify.publickey.location | http:///jwks | URL with a host",
            "mp.jwt.verify.publickey.location | https://a b/jwks | URL with a host",
            "mp.jwt.verify.publickey.location | /no/such/file | it cannot be read",
            "smallrye.jwt.verify.key.location | /no/such/file | it cannot be read",
            "mp.jwt.verify.publickey.location | HTTP://login.example/jwks | scheme in lower case",
            "mp.jwt.verify.publickey.location | pom.xml | a file with a public key",
            "mp.jwt.verify.publickey | no-key | a public key",
            "smallrye.jwt.resolve-remote-keys-at-startup | true | not supported"})
    void invalidSettingIsReported(String property, String value, String allowed) {
        assertThat(problems(Map.of(property, value))).singleElement().asString().startsWith(property + '=').contains(allowed);
    }

    @Test
    void secretMustBeAJwkForAnHmac() {
        var key = "smallrye.jwt.verify.secretkey";
        assertThat(problems(Map.of(key, SECRET, "smallrye.jwt.verify.algorithm", "HS256"))).isEmpty();
        assertThat(problems(Map.of(key, "plain-text", "smallrye.jwt.verify.algorithm", "HS256"))).singleElement().asString()
                .startsWith(key + "=(not shown)").contains("base64url").doesNotContain("plain-text");
        assertThat(problems(Map.of(key, SECRET))).singleElement().asString()
                .startsWith("smallrye.jwt.verify.algorithm=RS256").contains("HS256");
    }

    @Test
    void jwtsAreVerifiedIfAKeyIsConfigured() {
        assertThat(settings(Map.of()).configured()).isFalse();
        assertThat(settings(Map.of("mp.jwt.verify.publickey", "NONE")).configured()).isFalse();
        for (var property : List.of("mp.jwt.verify.publickey", "mp.jwt.verify.publickey.location",
                "smallrye.jwt.verify.key.location", "smallrye.jwt.verify.secretkey")) {
            assertThat(settings(Map.of(property, "x")).configured()).as(property).isTrue();
        }
    }
}
