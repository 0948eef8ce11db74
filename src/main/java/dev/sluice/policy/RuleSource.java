package dev.sluice.policy;

import java.util.Optional;

/** Names for where a rule was set. */
public final class RuleSource {

    /** Built into the service. */
    public static final String BUILT_IN = "built-in";
    /** Variables, system properties and properties files. */
    public static final String SETTINGS = "settings";

    private RuleSource() {
    }

    /** @param place file and line in the rules file; empty if the rule is not from there */
    public static String configured(Optional<String> place) {
        return place.orElse(SETTINGS);
    }
}
