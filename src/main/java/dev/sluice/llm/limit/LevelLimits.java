package dev.sluice.llm.limit;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;

import dev.sluice.api.Rate;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.api.ResourceCheck;
import dev.sluice.identity.chain.ChainLevel;
import dev.sluice.identity.chain.IdentityChain;
import dev.sluice.identity.chain.LevelResources;
import dev.sluice.identity.chain.LlmRates;
import dev.sluice.llm.policy.LimitKind;
import dev.sluice.llm.policy.LlmPolicySnapshot;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.TokenUsage;

/**
 * Limits of a caller's levels that apply to one call.
 *
 * @see LevelResources
 */
final class LevelLimits {

    /**
     * Rates of one level.
     *
     * @param suffix end of the names of the resources
     */
    private record Part(String identifier, LlmRates rates, String suffix) {
    }

    private final List<Part> parts = new ArrayList<>();

    LevelLimits(LlmPolicySnapshot policy, Provider provider, String model, IdentityChain chain) {
        for (var level : chain.levels()) {
            if (!level.limits().llm().isEmpty()) {
                parts.add(new Part(level.identifier(), level.limits().llm(), ""));
            }
            var pattern = pattern(policy, provider, level, model);
            if (pattern != null) {
                parts.add(new Part(level.identifier(), level.limits().models().get(pattern), LevelResources.models(pattern)));
            }
        }
    }

    private static @Nullable String pattern(LlmPolicySnapshot policy, Provider provider, ChainLevel level, String model) {
        var limits = level.limits();
        return limits.models().isEmpty() ? null : policy.find(provider, model, limits::modelPattern);
    }

    /** Returns whether all levels allow the models of a call, and no further one has other limits than the requested one. */
    static boolean areModelsAllowed(LlmPolicySnapshot policy, LlmCallEstimate call) {
        var chain = call.chain();
        return chain.allowsModel(call.model()) && call.furtherModels().stream().allMatch(model -> chain.allowsModel(model)
                && chain.levels().stream().allMatch(level -> Objects.equals(pattern(policy, call.provider(), level, model),
                        pattern(policy, call.provider(), level, call.model()))));
    }

    boolean hasBudget() {
        return parts.stream().anyMatch(part -> isLimited(part.rates().budget()));
    }

    boolean hasTokens() {
        return parts.stream().anyMatch(part -> isLimited(part.rates().tokens()));
    }

    private static boolean isLimited(Rate rate) {
        return rate != null && rate != Rate.UNLIMITED;
    }

    /** Returns the budgets. */
    Stream<UnderReservedCalls.Budget> budgets() {
        return parts.stream().filter(part -> isLimited(part.rates().budget()))
                .map(part -> new UnderReservedCalls.Budget(part.identifier(), LevelResources.BUDGET + part.suffix()));
    }

    /**
     * Returns the windows of the levels and of the rules.
     *
     * @param identifier identifier of the windows of the rules
     * @param ofRules what the windows of the rules count, by their resources
     */
    ReservedWindows windows(String identifier, Map<String, LimitKind> ofRules) {
        if (parts.isEmpty()) {
            return new ReservedWindows(List.of(identifier), ofRules);
        }
        var kinds = new HashMap<>(ofRules);
        for (var part : parts) {
            if (part.rates().tokens() != null) {
                kinds.put(LevelResources.TOKENS + part.suffix(), LimitKind.TOKENS);
            }
            if (part.rates().budget() != null) {
                kinds.put(LevelResources.BUDGET + part.suffix(), LimitKind.BUDGET);
            }
        }
        return new ReservedWindows(
                Stream.concat(Stream.of(identifier), parts.stream().map(Part::identifier)).distinct().toList(), kinds);
    }

    /** Returns the requests of the levels, each of which reserves what the call may use. */
    List<RateLimitRequest> requests(TokenUsage usage, long costNanodollars) {
        var requests = new ArrayList<RateLimitRequest>(parts.size());
        for (var part : parts) {
            var checks = new ArrayList<ResourceCheck>(4);
            var rates = part.rates();
            if (rates.requests() != null) {
                checks.add(new ResourceCheck(LevelResources.CALLS + part.suffix(), rates.requests(), 1));
            }
            if (rates.tokens() != null) {
                checks.add(ResourceCheck.reservation(LevelResources.TOKENS + part.suffix(), rates.tokens(), usage.total()));
            }
            if (rates.budget() != null) {
                checks.add(ResourceCheck.reservation(LevelResources.BUDGET + part.suffix(), rates.budget(), costNanodollars));
            }
            if (rates.concurrency() != null) {
                checks.add(new ResourceCheck(LevelResources.CONCURRENCY + part.suffix(), rates.concurrency(), 1));
            }
            requests.add(new RateLimitRequest(part.identifier(), null, LevelResources.CALLS, checks));
        }
        return requests;
    }

    /** Returns the requests that count what a call has used, without those of levels that count nothing. */
    List<RateLimitRequest> charges(TokenUsage usage, long costNanodollars) {
        var requests = new ArrayList<RateLimitRequest>(parts.size());
        for (var part : parts) {
            var checks = new ArrayList<ResourceCheck>(2);
            addCharge(checks, LevelResources.TOKENS + part.suffix(), part.rates().tokens(), usage.total());
            addCharge(checks, LevelResources.BUDGET + part.suffix(), part.rates().budget(), costNanodollars);
            if (!checks.isEmpty()) {
                requests.add(new RateLimitRequest(part.identifier(), null, LevelResources.TOKENS, checks));
            }
        }
        return requests;
    }

    private static void addCharge(List<ResourceCheck> checks, String resource, Rate rate, long units) {
        if (isLimited(rate) && rate != Rate.BLOCKED && units > 0) {
            checks.add(new ResourceCheck(resource, rate, units));
        }
    }
}
