package dev.sluice.llm.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.eclipse.microprofile.config.Config;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.sluice.config.ConfigProblems;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderBaseUrl;
import dev.sluice.llm.protocol.ProviderType;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;

class ProvidersTest {

    private static List<String> problems(Map<String, String> settings) {
        var properties = new HashMap<String, String>();
        settings.forEach((name, value) -> properties.put("rate-limit.llm." + name, value));
        Config config = new SmallRyeConfigBuilder().withSources(new PropertiesConfigSource(properties, "settings", 100))
                .build();
        var problems = new ConfigProblems();
        new Providers(TestProviders.config(settings)).validate(problems, config);
        return problems.lines();
    }

    @Test
    void typeAddsAProvider() {
        var providers = new Providers(TestProviders.config(Map.of("groq.type", "openai", "claude-eu.type", "anthropic",
                "timeout", "1s", "free-calls.pro", "5/minute")));
        assertThat(providers.all()).containsExactly(Provider.OPENAI, Provider.ANTHROPIC, Provider.GEMINI,
                new Provider("claude-eu", ProviderType.ANTHROPIC), new Provider("groq", ProviderType.OPENAI));
        assertThat(providers.find("groq").type()).isEqualTo(ProviderType.OPENAI);
        assertThat(providers.find("nobody")).isNull();
        assertThat(providers.find(null)).isNull();
        assertThat(providers.allowedIds()).isEqualTo("openai, anthropic, gemini, claude-eu or groq");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            opnai.base-url    | http://x  | rate-limit.llm.opnai.type=: missing
            opnai.base-url    | http://x  | did you mean openai?
            Groq.type         | openai    | rate-limit.llm.Groq=
            prices.type       | openai    | prices is reserved
            v1.type           | openai    | v1 is reserved
            openai.type       | gemini    | a provider with another type needs another name
            groq.headers.A:B  | x         | rate-limit.llm.groq.headers.A:B
            groq.headers.X-A  | a\u0007b  | rate-limit.llm.groq.headers.X-A
            groq.headers.Host | x         | rate-limit.llm.groq.headers.Host
            groq.auth-header  | a b       | rate-limit.llm.groq.auth-header=a b
            groq.api-key      | sk-é      | rate-limit.llm.groq.api-key=(not shown): visible ASCII
            groq.prices       | opnai     | rate-limit.llm.groq.prices=opnai
            """)
    void mistakesAreReported(String setting, String value, String problem) {
        var settings = new HashMap<>(Map.of(setting, value));
        settings.putIfAbsent("groq.type", "openai");
        assertThat(problems(settings)).anyMatch(line -> line.contains(problem));
    }

    @Test
    void validSettingsAreAccepted() {
        assertThat(problems(Map.of("groq.type", "openai", "groq.headers.X-A", "b", "groq.auth-header", "api-key", "groq.prices",
                "free", "openai.type", "openai", "azure.type", "openai", "azure.prices", "openai", "drain.timeout", "1s",
                "eu.type", "openai", "eu.prices", "azure"))).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"openai,'',,Authorization,Bearer k", "anthropic,'',,x-api-key,k", "gemini,'',,x-goog-api-key,k",
            "openai,api-key,,api-key,k", "openai,X-Key,Token,X-Key,Token k", "openai,Authorization,Key=,Authorization,Key=k",
            "anthropic,authorization,,authorization,Bearer k"})
    void keyIsInTheHeaderOfTheProvider(String type, String header, String prefix, String name, String value) {
        var settings = new HashMap<>(Map.of("x.type", type));
        if (!header.isEmpty()) {
            settings.put("x.auth-header", header);
        }
        if (prefix != null) {
            settings.put("x.auth-prefix", prefix);
        }
        var providers = new Providers(TestProviders.config(settings));
        var provider = providers.find("x");
        assertThat(providers.authHeader(provider)).isEqualTo(name);
        assertThat(providers.authValue(provider, "k")).isEqualTo(value);
    }

    @Test
    void parametersAreEncoded() {
        var providers = new Providers(TestProviders.config(Map.of("x.type", "openai", "x.query.api-version", "2024-10-21",
                "x.query.b", "a b&c=ü")));
        assertThat(providers.query(providers.find("x"))).isEqualTo("api-version=2024-10-21&b=a%20b%26c%3D%C3%BC");
    }

    @ParameterizedTest
    @CsvSource({"openai,https://api.groq.com/openai/v1,/v1/models,https://api.groq.com/openai/v1/models",
            "openai,https://api.groq.com/openai/v1/,/v1/models,https://api.groq.com/openai/v1/models",
            "openai,http://host,/v1/models,http://host/v1/models", "openai,http://host/,/v1/models,http://host/v1/models",
            "openai,http://host/prefix,/v1/models,http://host/prefix/v1/models",
            "openai,https://g/v1beta/openai,/v1/models,https://g/v1beta/openai/models",
            "openai,https://g/v1beta/openai/,/v1/models?a=b,https://g/v1beta/openai/models?a=b",
            "openai,https://z/api/paas/v4,/v1/models,https://z/api/paas/v4/models",
            "openai,https://r/openai/deployments/d,/v1/chat/completions,https://r/openai/deployments/d/chat/completions",
            "openai,https://r/openai/v1,/openai/deployments/d/embeddings,https://r/openai/deployments/d/embeddings",
            "openai,https://r,/openai/deployments/d/embeddings,https://r/openai/deployments/d/embeddings",
            "openai,http://v2,/v1/models,http://v2/v1/models", "gemini,https://g/v1beta,/v1/models,https://g/v1/models",
            "gemini,https://g/v1,/v1beta/models,https://g/v1beta/models",
            "anthropic,https://a/v1,/v1/messages,https://a/v1/messages", "openai,http://v2.example,/v1/models,"
                    + "http://v2.example/v1/models"})
    void pathIsAppendedToTheBaseUrl(Provider provider, String baseUrl, String path, String url) {
        assertThat(ProviderBaseUrl.of(provider.type(), baseUrl).resolve(path)).isEqualTo(url);
    }
}
