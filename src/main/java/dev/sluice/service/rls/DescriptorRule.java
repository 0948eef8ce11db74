package dev.sluice.service.rls;

import java.util.List;
import java.util.Set;

import dev.sluice.store.Enforcement;

/**
 * Rule of a descriptor: its limit and options.
 *
 * @param name name that the configuration gives; empty if it gives none
 * @param limit the limit
 * @param options options that are set
 * @param replaces names of the rules that this one replaces
 */
record DescriptorRule(String name, NodeLimit limit, Set<Option> options, List<String> replaces) {

    /** Options of a descriptor, by the names of their keys in lower case. */
    enum Option {
        SHADOW_MODE, QUOTA_MODE, DETAILED_METRIC, VALUE_TO_METRIC, SHARE_THRESHOLD, CHARGE, ALLOW_OVERRIDE
    }

    boolean has(Option option) {
        return options.contains(option);
    }

    Enforcement enforcement() {
        return has(Option.CHARGE)
                ? Enforcement.CHARGED
                : has(Option.SHADOW_MODE)
                        ? Enforcement.SHADOW
                        : has(Option.QUOTA_MODE) ? Enforcement.QUOTA : Enforcement.ENFORCED;
    }
}
