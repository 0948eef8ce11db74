package dev.sluice.llm.spend;

import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.sluice.llm.ledger.UsageTotals;

/**
 * Spend that a query has found.
 *
 * @param groups the groups of this page, in order
 * @param total the usage of all groups, also of those on other pages
 * @param next position after which the next page begins; null if this is the last one
 */
public record SpendReport(List<SpendGroup> groups, UsageTotals total, @Nullable SpendPosition next) {
}
