package dev.sluice.http;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

/** Settings of the reporting of decisions in HTTP responses. */
@ConfigMapping(prefix = "rate-limit")
public interface HttpConfig {

    /**
     * The response headers that report a decision: {@code all}, {@code standard} (RateLimit and RateLimit-Policy), {@code legacy}
     * (X-RateLimit-Limit, -Remaining and -Reset) or {@code none}. Retry-After, X-RateLimit-Mode and X-RateLimit-Dry-Run are
     * sent in each case.
     */
    @WithDefault("all")
    String headers();
}
