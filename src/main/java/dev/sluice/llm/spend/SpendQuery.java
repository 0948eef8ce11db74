package dev.sluice.llm.spend;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import dev.sluice.identity.chain.ModelPattern;
import dev.sluice.llm.ledger.SpendRange;

/**
 * Query of spend. Immutable.
 *
 * @param range the hours
 * @param groupBy the dimensions that it is grouped by, in order; empty for the total only
 * @param filters values that the calls must have, a model in any spelling
 * @param limit maximum number of groups that are returned, 1 or more
 * @param after position after which the groups are returned; null for the first ones
 */
public record SpendQuery(SpendRange range, List<SpendDimension> groupBy, Map<SpendDimension, String> filters, int limit,
        @Nullable SpendPosition after) {

    public SpendQuery {
        groupBy = List.copyOf(groupBy);
        var normalized = new EnumMap<SpendDimension, String>(SpendDimension.class);
        normalized.putAll(filters);
        normalized.computeIfPresent(SpendDimension.MODEL, (dimension, model) -> ModelPattern.normalize(model));
        filters = Map.copyOf(normalized);
    }
}
