package dev.sluice.policy.key;

import java.util.ArrayList;
import java.util.List;

/**
 * Values that servers may read for one part of a key. A client could send a field twice, or under a name that only some servers take
 * for the same one. Each value counts, so that none of them leads to a window that the others do not.
 */
final class KeyReadings implements ValueReadings {

    private final List<String> values = new ArrayList<>(1);
    private boolean present;
    private String last;

    @Override
    public void add(String value, boolean exact) {
        present |= exact;
        last = value;
        if (values.size() <= RuleKey.MAX_IDENTIFIERS && !values.contains(value)) {
            values.add(value);
        }
    }

    /**
     * Returns the different values; empty if the part is absent. Of more than {@link RuleKey#MAX_IDENTIFIERS} it returns one too many,
     * with the first value at the begin and the last one at the end. If only some servers find a value, the empty one of the others is
     * among them.
     *
     * @param optional whether the rule does not apply to a request without the part
     */
    List<String> values(boolean optional) {
        if (!present && !values.isEmpty() && !optional) {
            add("", false);
        }
        if (values.size() > RuleKey.MAX_IDENTIFIERS) {
            values.set(values.size() - 1, last);
        }
        return values;
    }
}
