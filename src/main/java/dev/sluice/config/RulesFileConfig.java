package dev.sluice.config;

import java.util.Optional;

import io.smallrye.config.ConfigMapping;

/** Where the file of rows is. */
@ConfigMapping(prefix = "rate-limit")
public interface RulesFileConfig {

    /**
     * A YAML file of rows, tiers and keys, at most 1 MB, that is looked at twice a second. Its keys are those of the settings,
     * without {@code rate-limit.}; what it names takes the place of what the settings say of the same.
     */
    Optional<String> file();
}
