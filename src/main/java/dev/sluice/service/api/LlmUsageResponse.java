package dev.sluice.service.api;

import java.util.LinkedHashMap;
import java.util.Map;

import org.eclipse.microprofile.openapi.annotations.media.Schema;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;

import dev.sluice.llm.ledger.UsageReport;
import dev.sluice.llm.ledger.UsageTotals;

/** Body of the response to {@code GET /v1/llm/usage}. */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@Schema(name = "LlmAccount")
record LlmUsageResponse(String identifier, int windowHours,
        @Schema(description = "Usage by provider") Map<String, ProviderTotals> providers,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Schema(description = "true while Redis is unavailable: only usage not yet written to Redis is included") Boolean partial) {

    /** Usage with one provider. */
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    @Schema(name = "LlmProviderTally")
    record ProviderTotals(long calls, int windowHours, long inputTokens, long outputTokens, long cachedInputTokens,
            long cacheWriteInputTokens,
            @Schema(description = "Exact cost in US dollars", examples = "0.012345") String costUsd,
            @JsonInclude(JsonInclude.Include.NON_NULL) @Schema(description = "Cost in US dollars that the provider itself reports; absent if it reports none", examples = "0.0123") String reportedCostUsd,
            @Schema(description = "Number of calls to models without a configured price") long unpricedCalls,
            @Schema(description = "Number of calls whose usage was estimated because it was not reported") long estimatedCalls,
            @Schema(description = "Usage by kind; the costs sum exactly to cost_usd. other is the cost of which no parts are known") Map<String, Detail> details,
            @Schema(description = "Usage by model") Map<String, ModelTotals> models) {
    }

    /** Usage of one model. */
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    @Schema(name = "LlmTally")
    record ModelTotals(long calls, long inputTokens, long outputTokens, long cachedInputTokens, long cacheWriteInputTokens,
            String costUsd,
            @JsonInclude(JsonInclude.Include.NON_NULL) String reportedCostUsd, long unpricedCalls, long estimatedCalls,
            Map<String, Detail> details) {
    }

    /** Usage of one kind. */
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @Schema(name = "LlmUsageDetail")
    record Detail(@Schema(description = "Number of tokens; absent if the kind is not counted in tokens") Long tokens,
            @Schema(description = "Number of searches, images, characters or milliseconds; absent for tokens") Long count,
            @Schema(description = "Exact cost in US dollars") String costUsd) {
    }

    /** @param partial whether usage stored in Redis is not included */
    static LlmUsageResponse of(String identifier, int hours, UsageReport report, boolean partial) {
        var providers = new LinkedHashMap<String, ProviderTotals>();
        report.providers().forEach((provider, models) -> {
            var byModel = new LinkedHashMap<String, ModelTotals>();
            models.forEach((model, totals) -> byModel.put(model, of(totals)));
            var all = models.values().stream().reduce(UsageTotals.NONE, UsageTotals::plus);
            providers.put(provider, new ProviderTotals(all.calls(), hours, all.input(), all.output(), all.cachedInput(),
                    all.cacheWrite(), all.dollars(), all.reportedDollars(), all.unpriced(), all.estimated(), details(all),
                    byModel));
        });
        return new LlmUsageResponse(identifier, hours, providers, partial ? true : null);
    }

    private static ModelTotals of(UsageTotals totals) {
        return new ModelTotals(totals.calls(), totals.input(), totals.output(), totals.cachedInput(), totals.cacheWrite(),
                totals.dollars(), totals.reportedDollars(), totals.unpriced(), totals.estimated(), details(totals));
    }

    private static Map<String, Detail> details(UsageTotals totals) {
        var details = new LinkedHashMap<String, Detail>();
        totals.details().forEach(
                (kind, detail) -> details.put(kind, new Detail(detail.tokens(), detail.count(), detail.dollars())));
        return details;
    }
}
