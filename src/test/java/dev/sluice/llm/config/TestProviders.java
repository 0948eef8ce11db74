package dev.sluice.llm.config;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

import io.quarkus.runtime.configuration.DurationConverter;
import io.quarkus.runtime.configuration.MemorySize;
import io.quarkus.runtime.configuration.MemorySizeConverter;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;

/** Providers and their configuration for tests without an application. */
public final class TestProviders {

    private TestProviders() {
    }

    /** @param settings by property, without {@code rate-limit.llm.} */
    public static LlmConfig config(Map<String, String> settings) {
        var properties = new HashMap<String, String>();
        settings.forEach((name, value) -> properties.put("rate-limit.llm." + name, value));
        return new SmallRyeConfigBuilder().withMapping(LlmConfig.class)
                .withSources(new PropertiesConfigSource(properties, "settings", 100))
                .withConverter(MemorySize.class, 100, new MemorySizeConverter())
                .withConverter(Duration.class, 100, new DurationConverter()).build().getConfigMapping(LlmConfig.class);
    }

    /** Returns the three that need no configuration. */
    public static Providers builtIn() {
        return new Providers(config(Map.of()));
    }
}
