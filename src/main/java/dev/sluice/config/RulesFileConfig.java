package dev.sluice.config;

import java.util.Optional;

import io.smallrye.config.ConfigMapping;

/** Location of the rules file. */
@ConfigMapping(prefix = "rate-limit")
public interface RulesFileConfig {

    /**
     * Path of a YAML file of rules, tiers and API keys, at most 1 MB, that is polled every 500 ms. Its keys are the names of
     * the settings without {@code rate-limit.}, which it overrides.
     */
    Optional<String> file();
}
