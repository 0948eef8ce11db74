package dev.sluice.llm.policy;

import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

import dev.sluice.api.QuotaUnit;
import dev.sluice.api.Rate;
import dev.sluice.llm.config.LlmConfig.LimitConfig;
import dev.sluice.llm.protocol.TokenUsage;

/** Kind of a limit of LLM calls: its setting, its resources, and what it counts. */
public enum LimitKind {

    /** Calls. */
    REQUESTS("requests", QuotaUnit.REQUESTS, LimitConfig::requests),
    /** Input and output tokens together. */
    TOKENS("tokens", QuotaUnit.TOKENS, LimitConfig::tokens),
    /** Input tokens, those read from or written to a cache included. */
    INPUT_TOKENS("input-tokens", QuotaUnit.TOKENS, LimitConfig::inputTokens),
    /** Output tokens, reasoning included. */
    OUTPUT_TOKENS("output-tokens", QuotaUnit.TOKENS, LimitConfig::outputTokens),
    /** Cost. */
    BUDGET("budget", QuotaUnit.NANODOLLARS, LimitConfig::budget),
    /** Calls in flight: a call holds a slot until it ends. */
    CONCURRENCY("concurrency", QuotaUnit.CONCURRENT_REQUESTS, LimitConfig::concurrency);

    /** Key of the limit of all tiers, as long as it is in a map with theirs. */
    static final String ALL_TIERS = "";

    private static final String CONCURRENCY_SYNTAX = "a whole number of calls in flight from 1 to "
            + QuotaUnit.CONCURRENT_REQUESTS.maxLimit() + ", or 'unlimited'";

    /** Kinds of which a call reserves an estimate that is settled with its usage. */
    public static final Set<LimitKind> RESERVED = Collections
            .unmodifiableSet(EnumSet.complementOf(EnumSet.of(REQUESTS, CONCURRENCY)));

    private final String settingName;
    private final QuotaUnit unit;
    private final Function<LimitConfig, Map<String, String>> setting;

    LimitKind(String settingName, QuotaUnit unit, Function<LimitConfig, Map<String, String>> setting) {
        this.settingName = settingName;
        this.unit = unit;
        this.setting = setting;
    }

    /** Returns the name of the setting, of a provider or a model, and of the key in the rules file. */
    public String settingName() {
        return settingName;
    }

    /** Returns the unit of the quotas. */
    public QuotaUnit unit() {
        return unit;
    }

    /**
     * Returns what a call uses of its limits of this kind.
     *
     * @param usage the tokens of the call
     * @param nanodollars the cost of the call, in 10⁻⁹ US dollars
     * @return a number in the {@linkplain #unit() unit} of this kind
     */
    public long units(TokenUsage usage, long nanodollars) {
        return switch (this) {
            case REQUESTS, CONCURRENCY -> 1;
            case TOKENS -> usage.total();
            case INPUT_TOKENS -> usage.input();
            case OUTPUT_TOKENS -> usage.output();
            case BUDGET -> nanodollars;
        };
    }

    /**
     * Parses the text of a limit.
     *
     * @param text text of the setting
     * @return the rate
     * @throws IllegalArgumentException if the text is not one; the message names the problem
     */
    public Rate parse(String text) {
        if (this != CONCURRENCY) {
            return Rate.parse(text, unit);
        }
        var number = text.strip();
        if (number.equalsIgnoreCase(Rate.UNLIMITED.toString())) {
            return Rate.UNLIMITED;
        }
        if (!number.matches("[0-9]{1,7}")) {
            throw new IllegalArgumentException("not a whole number in range");
        }
        return Rate.concurrency(Long.parseLong(number));
    }

    /** Returns what a limit may be, on one line for error messages. */
    public String syntax() {
        return this == CONCURRENCY ? CONCURRENCY_SYNTAX : this == BUDGET ? Rate.BUDGET_SYNTAX : Rate.SYNTAX;
    }

    /** Returns the configured rates by tier; under {@link #ALL_TIERS} that of all tiers that have none of their own. */
    Map<String, String> rates(LimitConfig config) {
        var ofAll = isForAllTiers() ? config.concurrencyOfAllTiers() : Optional.<String>empty();
        if (ofAll.isEmpty()) {
            return setting.apply(config);
        }
        var rates = new HashMap<>(setting.apply(config));
        rates.put(ALL_TIERS, ofAll.get());
        return rates;
    }

    /** Returns whether one limit may stand for all tiers. */
    boolean isForAllTiers() {
        return this == CONCURRENCY;
    }

    /** Returns what follows the provider's name in the resource of its rule. */
    String resourceSuffix() {
        return this == REQUESTS ? "" : ':' + settingName;
    }
}
