package dev.sluice.service.api.spend;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.eclipse.microprofile.openapi.annotations.media.Schema;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;

import dev.sluice.llm.ledger.UsageTotals;
import dev.sluice.llm.spend.SpendDimension;
import dev.sluice.llm.spend.SpendQuery;
import dev.sluice.llm.spend.SpendReport;

/** Body of the response to {@code GET /v1/llm/spend}. */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@Schema(name = "LlmSpend")
record SpendResponse(
        @Schema(description = "Groups of this page, the highest cost first; empty without group_by", implementation = SpendResponse.RowDocument[].class) List<Map<String, Object>> rows,
        @Schema(description = "Usage of all groups, also of those on other pages") Totals total,
        @Schema(description = "Value of cursor for the next page; null on the last one", nullable = true) String nextCursor) {

    /** Usage of several calls. */
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    @Schema(name = "LlmSpendTotals")
    record Totals(long calls, long inputTokens, long outputTokens, long cachedInputTokens, long cacheWriteInputTokens,
            @Schema(description = "Exact cost in US dollars", examples = "0.012345") String costUsd,
            @Schema(description = "Number of calls to models without a configured price") long unpricedCalls,
            @Schema(description = "Number of calls whose usage was estimated because it was not reported") long estimatedCalls) {

        static Totals of(UsageTotals totals) {
            return new Totals(totals.calls(), totals.input(), totals.output(), totals.cachedInput(), totals.cacheWrite(),
                    totals.dollars(), totals.unpriced(), totals.estimated());
        }

        /** Returns the fields by name, in the order of the response. */
        Map<String, Object> fields() {
            var fields = new LinkedHashMap<String, Object>();
            fields.put("calls", calls);
            fields.put("input_tokens", inputTokens);
            fields.put("output_tokens", outputTokens);
            fields.put("cached_input_tokens", cachedInputTokens);
            fields.put("cache_write_input_tokens", cacheWriteInputTokens);
            fields.put("cost_usd", costUsd);
            fields.put("unpriced_calls", unpricedCalls);
            fields.put("estimated_calls", estimatedCalls);
            return fields;
        }
    }

    /** A group in the OpenAPI document; it has the dimensions of group_by only. */
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    @Schema(name = "LlmSpendRow", description = "The dimensions of group_by, null for calls that have none, and the usage")
    record RowDocument(String user, String team, String org, @Schema(description = "Id of the stored key") String key,
            String provider, String model, @Schema(examples = "2026-11-30T10:00:00Z") String hour,
            @Schema(examples = "2026-11-30") String day, long calls, long inputTokens, long outputTokens,
            long cachedInputTokens, long cacheWriteInputTokens, String costUsd, long unpricedCalls, long estimatedCalls) {
    }

    static SpendResponse of(SpendQuery query, SpendReport report) {
        var rows = new ArrayList<Map<String, Object>>();
        for (var group : report.groups()) {
            var row = new LinkedHashMap<String, Object>();
            for (int i = 0; i < query.groupBy().size(); i++) {
                row.put(query.groupBy().get(i).field(), group.values().get(i));
            }
            row.putAll(Totals.of(group.totals()).fields());
            rows.add(row);
        }
        return new SpendResponse(rows, Totals.of(report.total()),
                report.next() == null ? null : SpendCursor.encode(report.next(), query));
    }

    /** Returns the rows as CSV, with a header line. */
    String toCsv(List<SpendDimension> groupBy) {
        var csv = new SpendCsv();
        var names = new ArrayList<Object>();
        groupBy.forEach(dimension -> names.add(dimension.field()));
        names.addAll(total.fields().keySet());
        csv.add(names);
        rows.forEach(row -> csv.add(new ArrayList<>(row.values())));
        return csv.toString();
    }
}
