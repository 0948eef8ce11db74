package dev.sluice.llm.spend;

import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.sluice.llm.ledger.UsageTotals;

/**
 * Usage of the calls that have the same values of the dimensions that a report is grouped by.
 *
 * @param values values in the order of the dimensions; null for calls that have none
 * @param totals the usage, without its parts
 */
public record SpendGroup(List<@Nullable String> values, UsageTotals totals) {

    /** Returns the position in the order of a report. */
    SpendPosition position() {
        return new SpendPosition(totals.picodollars(), values);
    }
}
