package dev.sluice.llm.policy;

import java.util.Collections;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

import dev.sluice.api.QuotaUnit;
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
    BUDGET("budget", QuotaUnit.NANODOLLARS, LimitConfig::budget);

    /** Kinds of which a call reserves an estimate that is settled with its usage. */
    public static final Set<LimitKind> RESERVED = Collections
            .unmodifiableSet(EnumSet.complementOf(EnumSet.of(REQUESTS)));

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
            case REQUESTS -> 1;
            case TOKENS -> usage.total();
            case INPUT_TOKENS -> usage.input();
            case OUTPUT_TOKENS -> usage.output();
            case BUDGET -> nanodollars;
        };
    }

    /** Returns the configured rates by tier. */
    Map<String, String> rates(LimitConfig config) {
        return setting.apply(config);
    }

    /** Returns what follows the provider's name in the resource of its rule. */
    String resourceSuffix() {
        return this == REQUESTS ? "" : ':' + settingName;
    }
}
