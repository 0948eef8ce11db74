package dev.sluice.llm.spend;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;

import org.jspecify.annotations.Nullable;

import dev.sluice.llm.ledger.SpendRow;
import dev.sluice.llm.ledger.UsageTotals;

/** Sums the rows of the ledger that a query asks for. Not thread-safe. */
final class SpendSums {

    private final SpendQuery query;
    private final int maxGroups;
    private final Map<List<@Nullable String>, UsageTotals> groups = new HashMap<>();
    private boolean tooLarge;

    /** @param maxGroups maximum number of groups: they are held in memory */
    SpendSums(SpendQuery query, int maxGroups) {
        this.query = query;
        this.maxGroups = maxGroups;
    }

    /** Adds a row, if it passes the filters. */
    void add(SpendRow row) {
        for (var filter : query.filters().entrySet()) {
            if (!filter.getValue().equals(filter.getKey().of(row))) {
                return;
            }
        }
        var values = new ArrayList<@Nullable String>(query.groupBy().size());
        for (var dimension : query.groupBy()) {
            values.add(dimension.of(row));
        }
        tooLarge |= groups.size() == maxGroups && !groups.containsKey(values);
        if (!tooLarge) {
            groups.merge(values, row.totals(), UsageTotals::plus);
        }
    }

    /**
     * Returns the page that the query asks for.
     *
     * @throws SpendTooLargeException if there are too many groups
     */
    SpendReport report() {
        if (tooLarge) {
            throw new SpendTooLargeException(maxGroups);
        }
        var total = groups.values().stream().reduce(UsageTotals.NONE, UsageTotals::plus);
        if (query.groupBy().isEmpty()) {
            return new SpendReport(List.of(), total, null);
        }
        record Candidate(SpendPosition position, SpendGroup group) {
        }
        // The last of the page first, so that the queue never has more than one page and one group.
        var page = new PriorityQueue<Candidate>((one, other) -> other.position().compareTo(one.position()));
        groups.forEach((values, totals) -> {
            var group = new SpendGroup(values, totals);
            var position = group.position();
            if (query.after() == null || position.compareTo(query.after()) > 0) {
                page.add(new Candidate(position, group));
                if (page.size() > query.limit() + 1) {
                    page.remove();
                }
            }
        });
        boolean more = page.size() > query.limit();
        if (more) {
            page.remove();
        }
        var rows = page.stream().sorted((one, other) -> one.position().compareTo(other.position())).toList();
        return new SpendReport(rows.stream().map(Candidate::group).toList(), total,
                more ? rows.get(rows.size() - 1).position() : null);
    }
}
