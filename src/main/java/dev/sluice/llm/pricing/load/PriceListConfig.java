package dev.sluice.llm.pricing.load;

import java.time.Duration;
import java.util.Optional;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import io.smallrye.config.WithParentName;

/** Location of a price list that is loaded at run time. */
@ConfigMapping(prefix = "rate-limit.llm.prices")
public interface PriceListConfig {

    /**
     * File or https URL of a price list, in the format of {@code prices.json} or LiteLLM's. Its prices replace the bundled ones of
     * the models that it names.
     */
    @WithParentName
    Optional<String> location();

    /** Interval at which the list is loaded again. A file is also loaded when it changes. */
    @WithDefault("24h")
    Duration refresh();
}
