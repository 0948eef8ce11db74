package dev.sluice.llm.spend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

import org.junit.jupiter.api.Test;

import dev.sluice.llm.ledger.CallOwner;
import dev.sluice.llm.ledger.SpendRange;
import dev.sluice.llm.ledger.SpendRow;
import dev.sluice.llm.ledger.UsageTotals;

/** Grouping, filters, order and pages of spend. */
class SpendSumsTest {

    private static final SpendRange RANGE = new SpendRange(0, 48, true);

    private static SpendRow row(long hour, String user, String team, String model, long picodollars) {
        return new SpendRow(hour, new CallOwner(null, user, team, null), "openai", model,
                new UsageTotals(1, 2, 0, 0, 3, BigInteger.valueOf(picodollars), 0, 0, UsageTotals.NONE.parts()));
    }

    private static SpendQuery query(List<SpendDimension> groupBy, Map<SpendDimension, String> filters, int limit,
            SpendPosition after) {
        return new SpendQuery(RANGE, groupBy, filters, limit, after);
    }

    private static SpendReport report(SpendQuery query, List<SpendRow> rows) {
        var sums = new SpendSums(query, 1000);
        rows.forEach(sums::add);
        return sums.report();
    }

    @Test
    void groupsAreSortedByCostThenByName() {
        var rows = List.of(row(0, "b", "red", "m", 5), row(1, "a", "red", "m", 5), row(2, null, "red", "m", 5),
                row(3, "c", "blue", "m", 9), row(30, "c", "blue", "n", 1));
        var byUser = report(query(List.of(SpendDimension.USER), Map.of(), 10, null), rows);
        assertThat(byUser.groups()).extracting(group -> group.values().get(0)).containsExactly("c", "a", "b", null);
        assertThat(byUser.total().picodollars()).isEqualTo(25);
        assertThat(byUser.next()).isNull();
        var byTeamAndDay = report(query(List.of(SpendDimension.TEAM, SpendDimension.DAY), Map.of(), 10, null), rows);
        assertThat(byTeamAndDay.groups()).extracting(SpendGroup::values).containsExactly(List.of("red", "1970-01-01"),
                List.of("blue", "1970-01-01"), List.of("blue", "1970-01-02"));
        var byHour = report(query(List.of(SpendDimension.HOUR), Map.of(SpendDimension.USER, "c"), 10, null), rows);
        assertThat(byHour.groups()).extracting(SpendGroup::values).containsExactly(List.of("1970-01-01T03:00:00Z"),
                List.of("1970-01-02T06:00:00Z"));
        var total = report(query(List.of(), Map.of(SpendDimension.MODEL, " M", SpendDimension.TEAM, "blue"), 10, null), rows);
        assertThat(total.groups()).isEmpty();
        assertThat(total.total().picodollars()).isEqualTo(9);
        assertThat(report(query(List.of(SpendDimension.USER), Map.of(SpendDimension.ORG, "x"), 10, null), rows).groups())
                .isEmpty();
    }

    @Test
    void pagesHaveEveryGroupOnce() {
        var random = new Random(7);
        var rows = new ArrayList<SpendRow>();
        for (int i = 0; i < 300; i++) {
            rows.add(row(0, random.nextInt(4) == 0 ? null : "u" + random.nextInt(50), "t" + random.nextInt(3), "m",
                    random.nextInt(4)));
        }
        var dimensions = List.of(SpendDimension.USER, SpendDimension.TEAM);
        var all = report(query(dimensions, Map.of(), 1000, null), rows);
        for (int limit : new int[]{1, 7, 100, all.groups().size()}) {
            var paged = new ArrayList<SpendGroup>();
            SpendPosition after = null;
            do {
                var page = report(query(dimensions, Map.of(), limit, after), rows);
                assertThat(page.total()).isEqualTo(all.total());
                assertThat(page.groups()).hasSizeBetween(1, limit);
                paged.addAll(page.groups());
                after = page.next();
            } while (after != null);
            assertThat(paged).isEqualTo(all.groups());
        }
    }

    @Test
    void tooManyGroupsAreRejected() {
        var sums = new SpendSums(query(List.of(SpendDimension.USER), Map.of(), 10, null), 2);
        List.of("a", "b", "a").forEach(user -> sums.add(row(0, user, null, "m", 1)));
        assertThat(sums.report().groups()).hasSize(2);
        sums.add(row(0, "c", null, "m", 1));
        assertThatThrownBy(sums::report).isInstanceOf(SpendTooLargeException.class).hasMessageContaining("2");
    }
}
