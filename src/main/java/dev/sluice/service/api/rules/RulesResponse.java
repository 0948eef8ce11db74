package dev.sluice.service.api.rules;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

import org.eclipse.microprofile.openapi.annotations.media.Schema;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;

import dev.sluice.config.RulesFileStatus;
import dev.sluice.llm.policy.CurrentLlmPolicy;
import dev.sluice.policy.CurrentPolicy;
import dev.sluice.policy.LimitRule;
import dev.sluice.policy.cost.RuleCost;

/** Body of the response to {@code GET /v1/rules}. */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@Schema(name = "Rules")
public record RulesResponse(@Schema(description = "The tiers; the first one is that of unknown callers") List<String> tiers,
        @Schema(description = "Rates of endpoints without a rule, by tier") Map<String, String> defaultRates,
        @Schema(description = "Rules of endpoints") List<Rule> rules,
        @JsonInclude(JsonInclude.Include.NON_EMPTY) @Schema(description = "Rules that others name, and that hold too") List<Rule> named,
        @Schema(description = "Rules of LLM providers and models") List<Rule> llm,
        @Schema(description = "Paths that are not limited") List<String> exempt,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Schema(description = "Rules file; absent if there is none") FileStatus file) {

    /** A rule. */
    @Schema(name = "Rule")
    public record Rule(@Schema(description = "Resource name of its windows") String resource,
            @Schema(description = "Rates by tier") Map<String, String> rates,
            @JsonInclude(JsonInclude.Include.NON_NULL) @Schema(description = "Fallback policy of its own") String fallback,
            @JsonInclude(JsonInclude.Include.NON_NULL) @Schema(description = "What its windows belong to, if not to the caller") String key,
            @JsonInclude(JsonInclude.Include.NON_NULL) @Schema(description = "Units that a request takes, if not one") String cost,
            @JsonInclude(JsonInclude.Include.NON_NULL) @Schema(description = "Answers whose requests count, if not all") String count,
            @JsonInclude(JsonInclude.Include.NON_NULL) @Schema(description = "true: it is counted and reported, and denies nothing") Boolean shadow,
            @JsonInclude(JsonInclude.Include.NON_EMPTY) @Schema(description = "Maximum number of requests in flight by tier") Map<String, Long> concurrency,
            @JsonInclude(JsonInclude.Include.NON_EMPTY) @Schema(description = "Methods that it is narrowed to") List<String> methods,
            @JsonInclude(JsonInclude.Include.NON_EMPTY) @Schema(description = "Hosts that it is narrowed to") List<String> hosts,
            @JsonInclude(JsonInclude.Include.NON_EMPTY) @Schema(description = "Resource names of the rules that hold too") List<String> also,
            @Schema(description = "built-in, settings, or file and line in the rules file") String source) {

        static Rule of(LimitRule rule, String source) {
            return new Rule(rule.resource(), texts(rule),
                    rule.fallback() == null ? null : rule.fallback().name().toLowerCase(Locale.ROOT),
                    rule.options().key().isCaller() ? null : rule.options().key().toString(),
                    rule.options().cost() == RuleCost.ONE ? null : rule.options().cost().toString(),
                    rule.options().count().isAll() ? null : rule.options().count().toString(),
                    rule.options().shadow() ? true : null, rule.options().concurrency(),
                    rule.options().scope().methods().stream().sorted().toList(),
                    rule.options().scope().hosts(), rule.also().stream().map(LimitRule::resource).toList(), source);
        }
    }

    /** State of the rules file. */
    @Schema(name = "RulesFile")
    public record FileStatus(
            @Schema(description = "false: its latest content is invalid, and the last valid one is in force") boolean valid,
            @Schema(description = "Time of the last change (ISO 8601)") String since,
            @JsonInclude(JsonInclude.Include.NON_NULL) @Schema(description = "First problem of an invalid file") String problem) {

        static FileStatus of(RulesFileStatus status) {
            return new FileStatus(status.valid(), status.since().toString(), status.problem());
        }
    }

    static RulesResponse of(CurrentPolicy policy, CurrentLlmPolicy llmPolicy, Optional<RulesFileStatus> file) {
        var llm = new ArrayList<Rule>();
        llmPolicy.rulesWithSources().forEach((rule, source) -> llm.add(Rule.of(rule, source)));
        return new RulesResponse(policy.tiers(), texts(policy.defaultRule()),
                policy.rules().stream().map(rule -> Rule.of(rule, policy.source(rule.resource()))).toList(),
                policy.namedRules().stream().map(rule -> Rule.of(rule, policy.source(rule.resource()))).toList(), llm,
                policy.exemptPaths(),
                file.map(FileStatus::of).orElse(null));
    }

    private static Map<String, String> texts(LimitRule rule) {
        var texts = new LinkedHashMap<String, String>();
        rule.rates().forEach((tier, rate) -> texts.put(tier, rate.toString()));
        return texts;
    }
}
