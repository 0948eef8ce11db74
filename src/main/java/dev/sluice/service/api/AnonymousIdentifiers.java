package dev.sluice.service.api;

import java.util.HashSet;
import java.util.Set;
import java.util.function.LongSupplier;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;

import dev.sluice.http.ErrorResponse;
import dev.sluice.llm.ledger.Ledger;
import dev.sluice.llm.ledger.LedgerConfig;
import io.vertx.core.json.JsonObject;

/**
 * Identifiers for which callers without a token have recorded usage in the current hour. Bounded, so that they cannot fill Redis:
 * the ledger keeps what they record for 31 days. Thread-safe.
 */
@ApplicationScoped
class AnonymousIdentifiers {

    private final int maximum;
    private final LongSupplier currentHour;
    private final Set<String> identifiers = new HashSet<>();
    private long hour;

    @Inject
    AnonymousIdentifiers(LedgerConfig config, Ledger ledger) {
        this(config.anonymousIdentifiers(), ledger::currentHour);
    }

    AnonymousIdentifiers(int maximum, LongSupplier currentHour) {
        this.maximum = maximum;
        this.currentHour = currentHour;
    }

    /** Returns whether usage may be recorded for an identifier in this hour. */
    synchronized boolean admit(String identifier) {
        long now = currentHour.getAsLong();
        if (now != hour) {
            hour = now;
            identifiers.clear();
        }
        return identifiers.contains(identifier) || identifiers.size() < maximum && identifiers.add(identifier);
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
