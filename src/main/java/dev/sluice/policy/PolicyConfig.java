package dev.sluice.policy;

import java.util.List;
import java.util.Map;
import java.util.Optional;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import io.smallrye.config.WithName;

/** Which rates govern which requests. */
@ConfigMapping(prefix = "rate-limit")
public interface PolicyConfig {

    /** The tiers; the first is that of an unknown caller. */
    @WithDefault("free,pro,enterprise")
    List<String> tiers();

    /** The first tier's rate for endpoints without a row; 10/minute where nothing is said. */
    @WithName("default")
    Optional<String> defaultRate();

    /** The other tiers' rates for endpoints without a row. */
    Map<String, String> defaults();

    /** Rows: {@code "/path"} or {@code "METHOD /path"}, then a rate for each tier. */
    Map<String, Map<String, String>> endpoints();

    /** Paths that pass without being counted, with everything below them. */
    Optional<List<String>> exempt();

    /** Taken off a path before its row is looked up; empty for nothing. */
    @WithDefault("/api/v1")
    Optional<String> apiPrefix();
}
