package dev.sluice.metrics;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

/** Settings of the metrics. */
@ConfigMapping(prefix = "rate-limit.metrics")
interface MetricsConfig {

    /** Metrics of decisions and of LLM calls have the tags {@code team} and {@code org}. */
    @WithDefault("false")
    boolean teams();
}
