package dev.sluice.llm.pricing;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.EnumMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

import dev.sluice.llm.protocol.ServiceTier;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.llm.protocol.UsageDetails;
import dev.sluice.llm.protocol.UsageKind;

/** Price of a model's calls. */
public final class ModelPrice {

    /** Price of calls that are free of charge, whatever they use. */
    public static final ModelPrice FREE = new ModelPrice("free", new TokenPrices(0, 0, 0, 0, 0), Map.of(),
            new CallPrices(BigDecimal.ZERO, Map.of()), true);

    /** More than a call makes; keeps costs within a {@code long}. */
    private static final long MAX_SEARCHES = 100_000;
    private static final int PICODOLLARS_PER_DOLLAR_DIGITS = 12;
    private static final int THOUSAND_DIGITS = 3;
    private static final BigDecimal MAX_COST = BigDecimal.valueOf(Long.MAX_VALUE);

    private final String name;
    /** Prices by tier of service and by the number of input tokens that a call must exceed. The standard tier is there. */
    private final Map<ServiceTier, NavigableMap<Long, TokenPrices>> prices = new EnumMap<>(ServiceTier.class);
    private final long picodollarsPerSearch;
    private final Map<String, BigDecimal> factors;
    private final boolean configured;

    /** Creates a configured price, which is the same for all calls. */
    ModelPrice(String name, TokenPrices prices) {
        this(name, prices, Map.of(), CallPrices.USUAL, true);
    }

    /** @param tiers prices of calls that have other ones */
    ModelPrice(String name, TokenPrices prices, Map<PriceTier, TokenPrices> tiers, CallPrices calls) {
        this(name, prices, tiers, calls, false);
    }

    private ModelPrice(String name, TokenPrices prices, Map<PriceTier, TokenPrices> tiers, CallPrices calls,
            boolean configured) {
        this.configured = configured;
        this.name = name;
        add(new PriceTier(ServiceTier.STANDARD, 0), prices);
        tiers.forEach(this::add);
        picodollarsPerSearch = calls.webSearch().movePointRight(PICODOLLARS_PER_DOLLAR_DIGITS - THOUSAND_DIGITS)
                .setScale(0, RoundingMode.CEILING).longValueExact();
        factors = Map.copyOf(calls.factors());
    }

    private void add(PriceTier tier, TokenPrices tierPrices) {
        prices.computeIfAbsent(tier.service(), service -> new TreeMap<>()).put(tier.above(), tierPrices);
    }

    /**
     * Returns the name of the entry in the price table, of which the model's name may be an alias. The number of names is
     * bounded by the table's size.
     *
     * @return the name
     */
    public String name() {
        return name;
    }

    /** Returns whether the price is from the settings or the rules file, which know the model behind a name. */
    public boolean isConfigured() {
        return configured;
    }

    /**
     * Returns the exact cost of a call that uses text tokens in the standard tier only.
     *
     * @param usage the call's tokens
     * @return the cost in 10⁻¹² US dollars
     */
    public long picodollars(TokenUsage usage) {
        return picodollars(usage, UsageDetails.NONE);
    }

    /**
     * Returns the exact cost of a call. A tier of service without prices of its own has those of the standard tier.
     *
     * @param usage the call's tokens
     * @param details what else determines the cost; iterations are not regarded
     * @return the cost in 10⁻¹² US dollars
     */
    public long picodollars(TokenUsage usage, UsageDetails details) {
        var byInput = prices.getOrDefault(details.tier(), prices.get(ServiceTier.STANDARD));
        var tier = byInput.lowerEntry(usage.input());
        long cost = (tier == null ? byInput.firstEntry() : tier).getValue().cost(usage, details.quantities());
        cost = multiply(cost, details.fast() ? factors.get(CallPrices.FAST) : null);
        cost = multiply(cost, factors.get(details.region()));
        long searches = Math.min(MAX_SEARCHES, details.quantities().getOrDefault(UsageKind.WEB_SEARCH, 0L));
        return Math.addExact(cost, Math.multiplyExact(searches, picodollarsPerSearch));
    }

    private static long multiply(long cost, BigDecimal factor) {
        return factor == null
                ? cost
                : BigDecimal.valueOf(cost).multiply(factor).setScale(0, RoundingMode.CEILING).min(MAX_COST).longValueExact();
    }

    @Override
    public String toString() {
        return name;
    }
}
