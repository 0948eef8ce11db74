package dev.sluice.llm.spend;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

import org.jspecify.annotations.Nullable;

/**
 * Position in a report: that of a group. Groups are in the order of their cost, the highest first, then of their values. Immutable.
 *
 * @param picodollars the cost in 10⁻¹² US dollars
 * @param values values of the dimensions that the report is grouped by; null for calls that have none
 */
public record SpendPosition(BigInteger picodollars, List<@Nullable String> values) implements Comparable<SpendPosition> {

    public SpendPosition {
        values = Collections.unmodifiableList(new ArrayList<>(values)); // List.copyOf does not accept null
    }

    @Override
    public int compareTo(SpendPosition other) {
        int order = other.picodollars.compareTo(picodollars);
        for (int i = 0; order == 0 && i < Math.min(values.size(), other.values.size()); i++) {
            order = compare(values.get(i), other.values.get(i));
        }
        return order == 0 ? Integer.compare(values.size(), other.values.size()) : order;
    }

    /** Compares two values; null is the last. */
    private static int compare(@Nullable String one, @Nullable String other) {
        if (one == null || other == null) {
            return Boolean.compare(one == null, other == null);
        }
        return one.compareTo(other);
    }
}
