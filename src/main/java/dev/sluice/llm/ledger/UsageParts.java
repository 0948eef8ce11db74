package dev.sluice.llm.ledger;

import java.math.BigInteger;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BiConsumer;

import dev.sluice.llm.pricing.CostParts;
import dev.sluice.llm.pricing.CostParts.Group;
import dev.sluice.llm.pricing.Money;

/**
 * Parts of the usage of several calls, by kind: their costs, and the quantities that the counters of tokens do not contain.
 * Immutable. Usage that was recorded without parts is in none of them.
 */
public final class UsageParts {

    /** No parts. */
    static final UsageParts NONE = new UsageParts(new TreeMap<>());

    /** Part of the cost that was recorded without its parts. */
    private static final String OTHER = "other";
    /** Kinds of the tokens of a group that have no kind of their own. */
    private static final Map<String, Group> PLAIN_KINDS = Map.of("input", Group.INPUT, "cached_input", Group.CACHED_INPUT,
            "cache_write", Group.CACHE_WRITE, "output", Group.OUTPUT);

    /**
     * Sum of one kind.
     *
     * @param group null if it is not known, because neither the kind nor a quantity is
     * @param quantity 0 for a plain kind, which is what the others leave of its counter
     */
    record Sum(Group group, long quantity, BigInteger picodollars) {

        Sum plus(Sum other) {
            return new Sum(group == null ? other.group : group, quantity + other.quantity, picodollars.add(other.picodollars));
        }
    }

    /**
     * One kind of usage.
     *
     * @param tokens number of tokens; null if the kind is not counted in tokens
     * @param count number of searches, images or the like; null if there is none
     * @param picodollars the cost in 10⁻¹² US dollars
     */
    public record Detail(Long tokens, Long count, BigInteger picodollars) {

        /**
         * Returns the exact cost in US dollars.
         *
         * @return a decimal without superfluous digits
         */
        public String dollars() {
            return Money.dollars(picodollars);
        }

        Map<String, Object> toMap() {
            var fields = new LinkedHashMap<String, Object>();
            if (tokens != null) {
                fields.put("tokens", tokens);
            }
            if (count != null) {
                fields.put("count", count);
            }
            fields.put("cost_usd", dollars());
            return fields;
        }
    }

    private final SortedMap<String, Sum> sums;

    private UsageParts(SortedMap<String, Sum> sums) {
        this.sums = sums;
    }

    static UsageParts of(List<CostParts.Part> parts) {
        if (parts.isEmpty()) {
            return NONE;
        }
        var sums = new TreeMap<String, Sum>();
        for (var part : parts) {
            long quantity = PLAIN_KINDS.containsKey(part.kind()) ? 0 : part.quantity();
            add(sums, part.kind(), new Sum(part.group(), quantity, BigInteger.valueOf(part.picodollars())));
        }
        return new UsageParts(sums);
    }

    /** Returns the parts of which only the cost of one kind is known. */
    static UsageParts ofCost(String kind, BigInteger picodollars) {
        return of(kind, new Sum(PLAIN_KINDS.get(kind), 0, picodollars));
    }

    /** Returns the parts of which only the quantity of one kind is known. */
    static UsageParts ofQuantity(String kind, Group group, long quantity) {
        return of(kind, new Sum(group, quantity, BigInteger.ZERO));
    }

    private static UsageParts of(String kind, Sum sum) {
        var one = new TreeMap<String, Sum>();
        add(one, kind, sum);
        return new UsageParts(one);
    }

    UsageParts plus(UsageParts other) {
        if (other.sums.isEmpty() || sums.isEmpty()) {
            return sums.isEmpty() ? other : this;
        }
        var all = new TreeMap<>(sums);
        other.sums.forEach((kind, sum) -> add(all, kind, sum));
        return new UsageParts(all);
    }

    private static void add(SortedMap<String, Sum> sums, String kind, Sum sum) {
        if (sum.quantity() != 0 || sum.picodollars().signum() != 0) {
            sums.merge(kind, sum, Sum::plus);
        }
    }

    /** Returns the cost that the providers have reported, in 10⁻¹² US dollars; 0 if none has. */
    long reportedPicodollars() {
        var reported = sums.get(CostParts.REPORTED);
        return reported == null ? 0 : reported.quantity();
    }

    void forEach(BiConsumer<String, Sum> action) {
        sums.forEach(action);
    }

    /**
     * Returns the kinds of which there is some usage, out of the counters of tokens and the cost of all calls. The tokens of a group sum to its counter, and the costs to that of the totals:
     * what was recorded without parts is in the plain kinds, and its cost in {@code other}.
     */
    SortedMap<String, Detail> details(Map<Group, Long> tokens, BigInteger picodollars) {
        var details = new TreeMap<String, Detail>();
        PLAIN_KINDS.forEach((kind, group) -> {
            long rest = tokens.get(group);
            for (var sum : sums.values()) {
                rest -= sum.group() == group ? sum.quantity() : 0;
            }
            var own = sums.get(kind);
            addTo(details, kind, new Detail(Math.max(0, rest), null, own == null ? BigInteger.ZERO : own.picodollars()));
        });
        var other = picodollars;
        for (var entry : sums.entrySet()) {
            var sum = entry.getValue();
            other = other.subtract(sum.picodollars());
            if (!PLAIN_KINDS.containsKey(entry.getKey()) && !entry.getKey().equals(CostParts.REPORTED)) {
                addTo(details, entry.getKey(), sum.group() == null || sum.group() == Group.NONE
                        ? new Detail(null, sum.quantity(), sum.picodollars())
                        : new Detail(sum.quantity(), null, sum.picodollars()));
            }
        }
        if (other.signum() > 0) {
            details.put(OTHER, new Detail(null, null, other));
        }
        return details;
    }

    private static void addTo(SortedMap<String, Detail> details, String kind, Detail detail) {
        boolean used = detail.tokens() != null && detail.tokens() > 0 || detail.count() != null && detail.count() > 0
                || detail.picodollars().signum() > 0;
        if (used) {
            details.put(kind, detail);
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof UsageParts parts && sums.equals(parts.sums);
    }

    @Override
    public int hashCode() {
        return sums.hashCode();
    }

    @Override
    public String toString() {
        return sums.toString();
    }
}
