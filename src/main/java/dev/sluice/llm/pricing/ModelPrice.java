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
            CallPrices.FREE, true);

    /** More than a call makes; keeps costs within a {@code long}. */
    private static final long MAX_SEARCHES = 100_000;
    private static final long MAX_OTHER_FEES = 10_000;
    /**
     * Models whose requests have a quality and a size by default. The name is that of the row: a request may have an alias.
     *
     * @see <a href="https://platform.openai.com/docs/api-reference/images/create">OpenAI: create image</a>
     */
    private static final String DALL_E = "dall-e";
    private static final int PICODOLLARS_PER_DOLLAR_DIGITS = 12;
    private static final int THOUSAND_DIGITS = 3;
    private static final BigDecimal MAX_COST = BigDecimal.valueOf(Long.MAX_VALUE);

    private final String name;
    /** Prices by tier of service and by the number of input tokens that a call must exceed. The standard tier is there. */
    private final Map<ServiceTier, NavigableMap<Long, TokenPrices>> prices = new EnumMap<>(ServiceTier.class);
    /** Fees in picodollars. Those that are not listed for the provider are the dearest of any, not zero. */
    private final Map<UsageKind, Long> fees = new EnumMap<>(UsageKind.class);
    private final UnitPrices units;
    private final Map<String, BigDecimal> factors;
    private final boolean configured;
    private final long maxInput;
    private final long maxOutput;

    /**
     * Creates a configured price, which is the same in all tiers.
     *
     * @param prices null if the model is not billed by tokens
     */
    static ModelPrice configured(String name, TokenPrices prices, CallPrices calls) {
        return new ModelPrice(name, prices, Map.of(), calls, true);
    }

    /**
     * @param prices null if the model is not billed by tokens
     * @param tiers prices of calls that have other ones
     */
    ModelPrice(String name, TokenPrices prices, Map<PriceTier, TokenPrices> tiers, CallPrices calls) {
        this(name, prices, tiers, calls, false);
    }

    private ModelPrice(String name, TokenPrices prices, Map<PriceTier, TokenPrices> tiers, CallPrices calls,
            boolean configured) {
        this.configured = configured;
        this.name = name;
        if (prices != null) {
            add(new PriceTier(ServiceTier.STANDARD, 0), prices);
        }
        tiers.forEach(this::add);
        if (calls != CallPrices.FREE) {
            ToolFees.dearest().forEach((kind, fee) -> fees.put(kind, picodollars(fee)));
        }
        calls.fees().forEach((kind, fee) -> fees.put(kind, picodollars(fee)));
        factors = Map.copyOf(calls.factors());
        units = calls.units();
        maxInput = calls.maxInput();
        maxOutput = calls.maxOutput();
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
     * Returns how many tokens the input of a call can have.
     *
     * @return the maximum; 0 if it is not known
     */
    public long maxInput() {
        return maxInput;
    }

    /**
     * Returns how many tokens the output of a choice can have.
     *
     * @return the maximum; 0 if it is not known
     */
    public long maxOutput() {
        return maxOutput;
    }

    /**
     * Returns whether all that a call has used has a price. A model that is billed by images, seconds or characters has none for
     * tokens, and vice versa.
     *
     * @param usage the call's tokens
     * @param details what else determines the cost
     * @return false if the call would be billed without a part of what it has used
     */
    public boolean covers(TokenUsage usage, UsageDetails details) {
        return this == FREE || (isByUnits() ? units.covers(details) : usage.total() > 0 || !details.hasUnits());
    }

    /**
     * Returns whether the size of a call, and nothing in its response, determines its cost: characters or images, which the request
     * contains.
     *
     * @param details units of the request
     * @return false if the model is billed by tokens or seconds
     */
    public boolean isBilledByRequest(UsageDetails details) {
        return isByUnits() && units.covers(details) && !details.quantities().containsKey(UsageKind.AUDIO_MILLISECOND);
    }

    /** Units are billed if the model has no prices of tokens; otherwise they are the size of a request, estimated in tokens too. */
    private boolean isByUnits() {
        return prices.isEmpty();
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
     * Returns the exact cost of a call that the price {@link #covers}. A tier of service without prices of its own has those of the standard tier.
     *
     * @param usage the call's tokens
     * @param details what else determines the cost; iterations are not regarded
     * @return the cost in 10⁻¹² US dollars
     */
    public long picodollars(TokenUsage usage, UsageDetails details) {
        return cost(usage, details).picodollars();
    }

    /**
     * Returns the exact cost of a call that the price {@link #covers}, with its parts.
     *
     * @param usage the call's tokens
     * @param details what else determines the cost; iterations are not regarded
     * @return the cost
     */
    public CostParts cost(TokenUsage usage, UsageDetails details) {
        if (isByUnits()) {
            return units.cost(name.contains(DALL_E) ? details.withImageDefaults("standard", "1024x1024") : details);
        }
        var byInput = prices.getOrDefault(details.tier(), prices.get(ServiceTier.STANDARD));
        var tier = byInput.lowerEntry(usage.input());
        var cost = new CostParts.Builder();
        (tier == null ? byInput.firstEntry() : tier).getValue().addTo(cost, usage, details.quantities());
        var fast = details.fast() ? factors.get(CallPrices.FAST) : null;
        var region = factors.get(details.region());
        if (fast == null && region == null) {
            return addFees(cost, details).build();
        }
        return cost.build().map(tokens -> multiply(multiply(tokens, fast), region))
                .plus(addFees(new CostParts.Builder(), details).build());
    }

    private CostParts.Builder addFees(CostParts.Builder cost, UsageDetails details) {
        details.quantities().forEach((kind, quantity) -> {
            if (kind.isFee()) {
                long billed = Math.min(kind == UsageKind.WEB_SEARCH ? MAX_SEARCHES : MAX_OTHER_FEES, quantity);
                cost.add(kind, billed, billed * fees.getOrDefault(kind, 0L));
            }
        });
        return cost;
    }

    private static long picodollars(BigDecimal perThousand) {
        return perThousand.movePointRight(PICODOLLARS_PER_DOLLAR_DIGITS - THOUSAND_DIGITS).setScale(0, RoundingMode.CEILING)
                .longValueExact();
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
