package dev.sluice.policy.key;

import java.util.ArrayList;
import java.util.List;

/**
 * Values that servers may read for one part of a key. A client could send a field twice, or under a name that only some servers take
 * for the same one. Each value counts, so that none of them leads to a window that the others do not.
 */
final class KeyReadings {

    private final List<String> values = new ArrayList<>(1);
    private boolean present;

    /**
     * Adds a value.
     *
     * @param exact false if only some servers read the value
     */
    void add(String value, boolean exact) {
        present |= exact;
        if (!values.contains(value) && values.size() <= RuleKey.MAX_IDENTIFIERS) {
            values.add(value);
        }
    }

    /**
     * Returns the different values, more than {@link RuleKey#MAX_IDENTIFIERS} of them only up to the first one too many; empty if the
     * part is absent. If only some servers find a value, the empty one of the others is among them.
     *
     * @param optional whether the rule does not apply to a request without the part
     */
    List<String> values(boolean optional) {
        if (!present && !values.isEmpty() && !optional) {
            add("", false);
        }
        return values;
    }
}
