package dev.sluice.service.llm;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.config.ConfigProblems;
import dev.sluice.llm.config.LlmConfig;
import io.quarkus.runtime.configuration.DurationConverter;
import io.quarkus.runtime.configuration.MemorySize;
import io.quarkus.runtime.configuration.MemorySizeConverter;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;

/** {@link ForwardedHeaders} with configured names. */
class ForwardedHeadersTest {

    private static ForwardedHeaders headers(String setting) {
        return new ForwardedHeaders(new SmallRyeConfigBuilder().withMapping(LlmConfig.class)
                .withSources(new PropertiesConfigSource(Map.of(ForwardedHeaders.SETTING, setting), "settings", 100))
                .withConverter(MemorySize.class, 100, new MemorySizeConverter())
                .withConverter(Duration.class, 100, new DurationConverter()).build().getConfigMapping(LlmConfig.class));
    }

    @Test
    void addsNamesAndPrefixes() {
        var headers = headers("X-Tenant, x-acme-*");
        assertThat(headers.contains("x-tenant")).isTrue();
        assertThat(headers.contains("X-Acme-Team")).isTrue();
        assertThat(headers.contains("x-tenant-2")).isFalse();
        assertThat(headers.contains("content-type")).isTrue();
        var problems = new ConfigProblems();
        headers.validate(problems);
        assertThat(problems.lines()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"*", "x-*", "Authorization", "X-API-Key", "x_api_key", "x-goog-api-key", "x-goog-*", "api-key",
            "Cookie", "cook*", "X-User-Id", "x-user-*", "X-Forwarded-For", "x-forwarded-*", "x-forwarded-f*", "X-Real-IP",
            "Forwarded", "Via", "Connection", "Host", "Content-Length", "t*", "X-HTTP-Method-Override", "a b", "a:b", "x**",
            "x*y", "ä", "X-Tenant,Cookie"})
    void rejectsReservedAndInvalidNames(String setting) {
        var headers = headers(setting);
        var problems = new ConfigProblems();
        headers.validate(problems);
        assertThat(problems.lines()).singleElement().asString().startsWith(ForwardedHeaders.SETTING + "=");
        assertThat(headers.contains("Authorization") || headers.contains("X-User-Id") || headers.contains("cookie")
                || headers.contains("X-Forwarded-For") || headers.contains("X_Api_Key")).isFalse();
    }
}
