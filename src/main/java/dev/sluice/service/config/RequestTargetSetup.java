package dev.sluice.service.config;

import io.smallrye.config.SmallRyeConfigBuilder;
import io.smallrye.config.SmallRyeConfigBuilderCustomizer;

/**
 * Lets request targets pass that browsers send but {@link java.net.URI} rejects, for example with braces, quotes or UTF-8.
 * Quarkus would answer them with 400 and without a body, unless a system property is set when it initializes its HTTP server
 * classes, which is at build time in a native executable. The configuration is created earlier than these classes in each way
 * to start the service, tests and dev mode included. {@code RequestFramingGuard} checks targets instead.
 */
public final class RequestTargetSetup implements SmallRyeConfigBuilderCustomizer {

    private static final String PROPERTY = "vertx.disableURIValidation";

    @Override
    public void configBuilder(SmallRyeConfigBuilder builder) {
        System.setProperty(PROPERTY, "true");
    }
}
