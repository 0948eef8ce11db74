package dev.sluice.service.api.identities;

import java.util.ArrayList;
import java.util.List;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.api.Quota;
import dev.sluice.api.QuotaUnit;
import dev.sluice.api.RateLimitAdmin;
import dev.sluice.api.WindowUsage;
import dev.sluice.directory.IdentityAttributes;
import dev.sluice.directory.InvalidLimitsException;
import dev.sluice.directory.StoredIdentity;
import dev.sluice.identity.chain.LevelResources;
import dev.sluice.llm.ledger.UsageTotals;
import dev.sluice.llm.spend.MonthlySpend;
import dev.sluice.llm.spend.SpendDimension;
import io.smallrye.mutiny.Uni;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** Reads what an identity has used, for the response to the query of one identity. */
@ApplicationScoped
class IdentityUsage {

    private static final int CONCURRENT_READS = 16;
    private static final int CONCURRENT_IDENTITIES = 8;

    private record Window(String resource, Quota quota) {
    }

    private final RateLimitAdmin windows;
    private final MonthlySpend spend;

    IdentityUsage(RateLimitAdmin windows, MonthlySpend spend) {
        this.windows = windows;
        this.spend = spend;
    }

    /**
     * Returns the members to add to the response: {@code used}, what is used now of each window of its limits, and {@code spend}, that
     * of this calendar month.
     */
    Uni<JsonObject> of(StoredIdentity identity) {
        return used(identity).flatMap(used -> spend.of(SpendDimension.valueOf(identity.kind().name()), identity.name())
                .map(totals -> new JsonObject().put("used", used).put("spend", spend(totals))));
    }

    /** Returns {@code used} of each identity, in their order. */
    Uni<List<JsonArray>> used(List<StoredIdentity> identities) {
        return identities.isEmpty()
                ? Uni.createFrom().item(List.of())
                : Uni.join().all(identities.stream().map(this::used).toList()).usingConcurrencyOf(CONCURRENT_IDENTITIES)
                        .andFailFast();
    }

    private Uni<JsonArray> used(StoredIdentity identity) {
        var read = windows(identity).stream().map(window -> used(identity.kind().identifier(identity.name()), window)).toList();
        return read.isEmpty()
                ? Uni.createFrom().item(new JsonArray())
                : Uni.join().all(read).usingConcurrencyOf(CONCURRENT_READS).andFailFast().map(JsonArray::new);
    }

    private static List<Window> windows(StoredIdentity identity) {
        var windows = new ArrayList<Window>();
        try {
            LevelResources.rates(IdentityAttributes.of(identity.document()).limits())
                    .forEach((resource, rate) -> rate.quotas().stream()
                            .filter(quota -> quota.unit() != QuotaUnit.CONCURRENT_REQUESTS) // has no window
                            .forEach(quota -> windows.add(new Window(resource, quota))));
        } catch (InvalidLimitsException e) {
            return List.of(); // stored by another program; requests are refused until it is corrected
        }
        return windows;
    }

    private Uni<JsonObject> used(String identifier, Window window) {
        var quota = window.quota();
        var usage = quota.period() == null
                ? windows.usage(identifier, window.resource(), quota.window())
                : windows.usage(identifier, window.resource(), quota.period());
        return usage.map(used -> view(window, used));
    }

    private static JsonObject view(Window window, WindowUsage usage) {
        var quota = window.quota();
        var view = new JsonObject().put("resource", window.resource()).put("limit", quota.unit().jsonAmount(quota.limit()))
                .put("used", quota.unit().jsonAmount(usage.used())).put("window_seconds", usage.window().toSeconds());
        if (quota.unit() != QuotaUnit.REQUESTS) {
            view.put("unit", quota.unit().jsonName());
        }
        if (quota.period() != null) {
            view.put("period", quota.period().value()).put("reset_at", usage.end().getEpochSecond());
        }
        return view;
    }

    private static JsonObject spend(UsageTotals totals) {
        return new JsonObject().put("calls", totals.calls()).put("input_tokens", totals.input())
                .put("output_tokens", totals.output()).put("cached_input_tokens", totals.cachedInput())
                .put("cache_write_input_tokens", totals.cacheWrite()).put("cost_usd", totals.dollars())
                .put("unpriced_calls", totals.unpriced());
    }
}
