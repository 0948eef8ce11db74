package dev.sluice.service.rls;

import java.util.Optional;

import io.smallrye.config.ConfigMapping;

/** Location of the configuration of Envoy's rate limit service. */
@ConfigMapping(prefix = "rate-limit.envoy")
public interface EnvoyConfig {

    /**
     * Path of a YAML file in the format of envoyproxy/ratelimit, or of a folder of such files, that is polled every 500 ms; at most 1
     * MB for each file.
     */
    Optional<String> config();
}
