package dev.sluice.llm.limit;

import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Map;

import dev.sluice.llm.ledger.Ledger;
import dev.sluice.llm.pricing.ModelPrice;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.TokenUsage;
import io.smallrye.mutiny.Uni;

/** Where the end of a call is written: windows, ledger and metrics. */
final class CallAccounting {

    private final Ledger ledger;
    private final LlmMetrics meters;
    private final SettlementQueue settlements;
    private final CurrentLlmPolicy rows;

    CallAccounting(Ledger ledger, LlmMetrics meters, SettlementQueue settlements, CurrentLlmPolicy rows) {
        this.rows = rows;
        this.ledger = ledger;
        this.meters = meters;
        this.settlements = settlements;
    }

    /** Of today; null where there is none. */
    ModelPrice price(Provider provider, String model) {
        return rows.now().prices().find(provider, model, LocalDate.now(ZoneOffset.UTC)).orElse(null);
    }

    void settle(String identifier, String reservation, Map<String, Long> used) {
        if (reservation != null) {
            settlements.settle(identifier, reservation, used);
        }
    }

    /** Completes when what was booked for an identifier so far is written, or it is clear that it must wait. */
    Uni<Void> written(String identifier) {
        return ledger.written(identifier);
    }

    Uni<Void> book(Provider provider, String identifier, String model, TokenUsage usage, ModelPrice price, boolean estimated,
            String requestId) {
        long cost = price == null ? -1 : price.picodollars(usage);
        return ledger.book(new Ledger.Entry(identifier, provider.id(), model, usage, cost, estimated, requestId)).map(fresh -> {
            if (fresh) {
                meters.answered(provider, name(price), usage, cost, estimated);
            }
            return null;
        });
    }

    void failed(Provider provider, ModelPrice price, boolean limited) {
        meters.ended(provider, name(price), limited ? LlmMetrics.Outcome.limited : LlmMetrics.Outcome.error);
    }

    /** @param priced null where the model has no price */
    void denied(Provider provider, String priced) {
        meters.ended(provider, priced, LlmMetrics.Outcome.denied);
    }

    private static String name(ModelPrice price) {
        return price == null ? null : price.name();
    }
}
