package dev.sluice.identity.chain;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

import org.jspecify.annotations.Nullable;

import dev.sluice.api.QuotaUnit;
import dev.sluice.api.Rate;

/** Names of the resources of a level's own limits. They differ from those of rules, which a user's windows may have too. */
public final class LevelResources {

    /** All API requests. */
    public static final String API = "api";
    /** Calls of language models. */
    public static final String CALLS = "llm";
    /** Tokens of these calls. */
    public static final String TOKENS = "llm:tokens";
    /** Cost of these calls. */
    public static final String BUDGET = "llm:budget";

    /** Calls in flight. */
    public static final String CONCURRENCY = "llm:concurrency";

    private static final String ENDPOINT = "endpoint:";

    private LevelResources() {
    }

    /** Returns the resource of an endpoint's limit. */
    public static String endpoint(String name) {
        return ENDPOINT + name;
    }

    /** Returns whether a resource is that of a level's own limit. */
    public static boolean contains(String resource) {
        return resource.equals(API) || resource.startsWith(ENDPOINT) || isOfCalls(resource, CALLS)
                || isOfCalls(resource, TOKENS)
                || isOfCalls(resource, BUDGET) || isOfCalls(resource, CONCURRENCY);
    }

    /** Returns what a resource counts, by its name. */
    public static QuotaUnit unit(String resource) {
        return isOfCalls(resource, TOKENS)
                ? QuotaUnit.TOKENS
                : isOfCalls(resource, BUDGET) ? QuotaUnit.NANODOLLARS : QuotaUnit.REQUESTS;
    }

    private static boolean isOfCalls(String resource, String name) {
        return resource.startsWith(name) && (resource.length() == name.length() || resource.charAt(name.length()) == '/');
    }

    /**
     * Returns the end of the name of a resource that counts some models only, which follows {@link #CALLS}, {@link #TOKENS},
     * {@link #BUDGET} or {@link #CONCURRENCY}.
     */
    public static String models(String pattern) {
        return '/' + pattern;
    }

    /** Returns the rates of all limits by their resources, in a fixed order. */
    public static Map<String, Rate> rates(OwnLimits limits) {
        var rates = new LinkedHashMap<String, Rate>();
        put(rates, API, limits.api());
        new TreeMap<>(limits.endpoints()).forEach((name, rate) -> put(rates, endpoint(name), rate));
        put(rates, "", limits.llm());
        new TreeMap<>(limits.models()).forEach((pattern, ofModels) -> put(rates, models(pattern), ofModels));
        return rates;
    }

    private static void put(Map<String, Rate> rates, String suffix, LlmRates ofCalls) {
        put(rates, CALLS + suffix, ofCalls.requests());
        put(rates, TOKENS + suffix, ofCalls.tokens());
        put(rates, BUDGET + suffix, ofCalls.budget());
        put(rates, CONCURRENCY + suffix, ofCalls.concurrency());
    }

    private static void put(Map<String, Rate> rates, String resource, @Nullable Rate rate) {
        if (rate != null) {
            rates.put(resource, rate);
        }
    }
}
