package dev.sluice.service.observability;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Properties;

import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.StartupEvent;

/** Reports which build is running, as the labels of a metric whose value is always 1. */
@Singleton
class BuildInfo {

    static final String NAME = "sluice_build_info";

    /** Filled in by the build. */
    private static final String FILE = "build.properties";

    void register(@Observes StartupEvent started, MeterRegistry registry) {
        var build = read();
        Gauge.builder(NAME, () -> 1).strongReference(true).description("Always 1; the labels name the running build")
                .tag("version", build.getProperty("version")).tag("commit", build.getProperty("commit"))
                .tag("java", System.getProperty("java.version")).register(registry);
    }

    private static Properties read() {
        var build = new Properties();
        try (var file = BuildInfo.class.getResourceAsStream(FILE)) {
            build.load(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return build;
    }
}
