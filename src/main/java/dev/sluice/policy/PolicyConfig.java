package dev.sluice.policy;

import java.util.List;
import java.util.Map;
import java.util.Optional;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import io.smallrye.config.WithName;
import io.smallrye.config.WithParentName;

/** Settings of tiers and limit rules. */
@ConfigMapping(prefix = "rate-limit")
public interface PolicyConfig {

    /** Names of the tiers. Callers without a tier are in the first one. */
    @WithDefault("free,pro,enterprise")
    List<String> tiers();

    /** Rate of the first tier for endpoints without a rule; unlimited if neither this nor a built-in rate is set. */
    @WithName("default")
    Optional<String> defaultRate();

    /** Rates of the other tiers for endpoints without a rule. */
    Map<String, String> defaults();

    /**
     * {@code true}: endpoints without a rule have built-in rates unless others are set: 10/minute for a tier named {@code free},
     * 100/minute for {@code pro}, 1000/minute for {@code enterprise}. True in the service; a library limits nothing that was not
     * asked for.
     */
    @WithDefault("false")
    boolean builtInDefaults();

    /** {@code true}: the endpoints {@code /auth/login}, {@code /auth/register}, {@code /campaigns} and {@code /users} have built-in rules. */
    @WithDefault("false")
    boolean builtInRules();

    /** Rules by endpoint, {@code "/path"} or {@code "METHOD /path"}. */
    Map<String, EndpointConfig> endpoints();

    /** Rules that those of endpoints name as rules that hold too, by name. */
    Map<String, EndpointConfig> rules();

    /** Rule of an endpoint, or one that has a name. */
    interface EndpointConfig {

        /** The rate of all tiers that have none of their own; {@code none} for no rule. */
        @WithParentName
        Optional<String> all();

        /** Rates by tier; beside them what else the rule says, such as {@code fallback} and {@code key}. */
        @WithParentName
        Map<String, String> tiers();

        static EndpointConfig of(String all, Map<String, String> tiers) {
            record Fixed(Optional<String> all, Map<String, String> tiers) implements EndpointConfig {
            }
            return new Fixed(Optional.ofNullable(all), tiers);
        }
    }

    /** Paths that are not limited, including all paths below them. */
    Optional<List<String>> exempt();

    /** How paths are compared with those of rules. */
    Paths paths();

    interface Paths {

        /**
         * Matches paths with rules, exempt paths and the prefix regardless of case: for applications that ignore case, whose
         * rules could be evaded otherwise.
         */
        @WithDefault("false")
        boolean caseInsensitive();
    }

    /** Prefix that is removed from a path before its rule is looked up; empty for none. */
    @WithDefault("/api/v1")
    Optional<String> apiPrefix();
}
