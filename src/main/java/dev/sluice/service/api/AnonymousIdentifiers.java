package dev.sluice.service.api;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;

import dev.sluice.http.ErrorResponse;
import dev.sluice.llm.ledger.Ledger;
import dev.sluice.llm.ledger.LedgerConfig;
import io.vertx.core.json.JsonObject;

/**
 * Identifiers for which callers without a token have recorded usage in the current hour, by client address. Bounded, so that an
 * address cannot fill Redis: the ledger keeps what it records for 31 days. An identifier that is forgotten because there are too
 * many counts again when it is next used. Thread-safe.
 */
@ApplicationScoped
class AnonymousIdentifiers {

    private static final int MAX_ADDRESSES = 50_000;
    private static final int MAX_IDENTIFIERS = 200_000;

    private record AddressHour(long hour, String address) {
    }

    private record Use(AddressHour by, String identifier) {
    }

    private final int maximum;
    private final LongSupplier currentHour;
    private final Cache<AddressHour, AtomicInteger> counts = Caffeine.newBuilder().executor(Runnable::run)
            .maximumSize(MAX_ADDRESSES).build();
    private final Cache<Use, Boolean> uses = Caffeine.newBuilder().executor(Runnable::run).maximumSize(MAX_IDENTIFIERS).build();

    @Inject
    AnonymousIdentifiers(LedgerConfig config, Ledger ledger) {
        this(config.anonymousIdentifiers(), ledger::currentHour);
    }

    AnonymousIdentifiers(int maximum, LongSupplier currentHour) {
        this.maximum = maximum;
        this.currentHour = currentHour;
    }

    /** Returns whether an address may record usage for an identifier in this hour. */
    boolean admit(String address, String identifier) {
        var by = new AddressHour(currentHour.getAsLong(), address);
        var use = new Use(by, identifier);
        if (uses.getIfPresent(use) != null) {
            return true;
        }
        var count = counts.get(by, first -> new AtomicInteger());
        if (count.getAndUpdate(used -> used < maximum ? used + 1 : used) >= maximum) {
            return false;
        }
        uses.put(use, true);
        return true;
    }

    /** Returns the response to a report for a further identifier. */
    ErrorResponse limitReached() {
        return new ErrorResponse(403, "RATE_4031",
                "Usage of " + maximum + " identifiers was recorded without a token in this hour"
                        + " (rate-limit.llm.ledger.anonymous-identifiers); further ones require the API token:"
                        + " set RATE_LIMIT_API_TOKEN and send it",
                new JsonObject().put("field", "identifier"), JsonObject::new);
    }
}
