package dev.sluice.llm.pricing;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.LongUnaryOperator;

import dev.sluice.llm.protocol.UsageKind;

/**
 * Cost of a call and the parts that it consists of. The costs of the parts sum exactly to that of the call. Immutable.
 *
 * @param parts one part for each kind of which the call has used some
 * @param picodollars the cost in 10⁻¹² US dollars; negative if the model has no price, and then the parts have none either
 */
public record CostParts(List<Part> parts, long picodollars) {

    /** No usage. */
    public static final CostParts NONE = new CostParts(List.of(), 0);

    /** Kind of the part that is the cost reported by the provider: its quantity in 10⁻¹² US dollars, which costs nothing. */
    public static final String REPORTED = "reported_cost";

    /** Counter of a call's tokens that the quantity of a part is contained in. */
    public enum Group {
        /** Input tokens that are neither read from nor written to a cache. */
        INPUT,
        /** Input tokens that are read from a cache. */
        CACHED_INPUT,
        /** Input tokens that are written to a cache. */
        CACHE_WRITE,
        /** Output tokens. */
        OUTPUT,
        /** No tokens: the quantity is a number of searches, images or the like. */
        NONE
    }

    /**
     * Part of a call's cost.
     *
     * @param kind name of the kind, such as {@code cached_input} or {@code web_search}: letters, digits and underscores
     * @param group the tokens that the quantity is contained in
     * @param quantity number of tokens or other units
     * @param picodollars the cost in 10⁻¹² US dollars
     */
    public record Part(String kind, Group group, long quantity, long picodollars) {
    }

    /**
     * Returns the parts of a call of a model without a price, as far as they are not known by the call's tokens.
     *
     * @param quantities what the call has used beside text tokens
     * @return parts without a cost
     */
    public static CostParts unpriced(Map<UsageKind, Long> quantities) {
        var parts = new ArrayList<Part>();
        quantities.forEach((kind, quantity) -> {
            if (quantity > 0) {
                parts.add(new Part(name(kind), group(kind), quantity, 0));
            }
        });
        return new CostParts(List.copyOf(parts), -1);
    }

    /**
     * Adds the cost that the provider reports. It is no part of the sum.
     *
     * @param reported the cost in 10⁻¹² US dollars; 0 if it is not known
     * @return the same cost, with the part {@link #REPORTED}
     */
    public CostParts withReported(long reported) {
        if (reported <= 0) {
            return this;
        }
        var all = new ArrayList<>(parts);
        all.add(new Part(REPORTED, Group.NONE, reported, 0));
        return new CostParts(List.copyOf(all), picodollars);
    }

    static String name(UsageKind kind) {
        return kind.name().toLowerCase(Locale.ROOT);
    }

    private static Group group(UsageKind kind) {
        return kind == UsageKind.CACHE_WRITE_12H
                ? Group.CACHE_WRITE
                : kind.isInput() ? Group.INPUT : kind.isOutput() ? Group.OUTPUT : Group.NONE;
    }

    /**
     * Adds the cost of another call of a model, of which the call consists too.
     *
     * @param other the other cost, of a priced model
     * @return the sum, with one part for each kind
     */
    public CostParts plus(CostParts other) {
        var sum = new ArrayList<>(parts);
        for (var part : other.parts) {
            int index = 0;
            while (index < sum.size() && !sum.get(index).kind().equals(part.kind())) {
                index++;
            }
            if (index == sum.size()) {
                sum.add(part);
            } else {
                var same = sum.get(index);
                sum.set(index, new Part(part.kind(), part.group(), Math.addExact(same.quantity(), part.quantity()),
                        Math.addExact(same.picodollars(), part.picodollars())));
            }
        }
        return new CostParts(List.copyOf(sum), Math.addExact(picodollars, other.picodollars));
    }

    /**
     * Changes the cost by a function of the whole cost. Each part gets the difference between the values of the function after and
     * before it, of the costs of the parts so far: the sum is exactly the function's value of the whole cost, and each part is off
     * by less than the function's rounding.
     *
     * @param function monotone, and 0 for 0
     */
    CostParts map(LongUnaryOperator function) {
        var mapped = new ArrayList<Part>(parts.size());
        long before = 0;
        long sum = 0;
        for (var part : parts) {
            sum = Math.addExact(sum, part.picodollars());
            long after = function.applyAsLong(sum);
            mapped.add(new Part(part.kind(), part.group(), part.quantity(), after - before));
            before = after;
        }
        return new CostParts(mapped, before);
    }

    /** Collects the parts of a call. */
    static final class Builder {

        private final List<Part> parts = new ArrayList<>(4);
        private BigDecimal exact = BigDecimal.ZERO;
        private long sum;

        /** Adds tokens; nothing if there are none. */
        Builder tokens(TokenKind kind, Group group, long tokens, long picodollarsPerToken) {
            return add(kind.field(), group, tokens, tokens == 0 ? 0 : Math.multiplyExact(tokens, picodollarsPerToken));
        }

        /** Adds a whole number of picodollars; nothing if there is no quantity. */
        Builder add(UsageKind kind, long quantity, long picodollars) {
            return add(name(kind), group(kind), quantity, picodollars);
        }

        /** Adds a cost that may be a fraction of a picodollar. The sum of all such costs is rounded up. */
        Builder addExact(UsageKind kind, long quantity, BigDecimal picodollars) {
            long before = exact.setScale(0, RoundingMode.CEILING).longValueExact();
            exact = exact.add(picodollars);
            return add(name(kind), group(kind), quantity, exact.setScale(0, RoundingMode.CEILING).longValueExact() - before);
        }

        private Builder add(String kind, Group group, long quantity, long picodollars) {
            if (quantity > 0) {
                parts.add(new Part(kind, group, quantity, picodollars));
                sum = Math.addExact(sum, picodollars);
            }
            return this;
        }

        CostParts build() {
            return new CostParts(parts, sum);
        }
    }
}
