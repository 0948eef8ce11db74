package dev.sluice.llm.limit;

import java.time.Duration;

import dev.sluice.llm.ledger.CallOwner;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.llm.protocol.UsageDetails;
import dev.sluice.settlement.Settlement;

/**
 * Call whose usage is reported to a later request, possibly of another instance.
 *
 * @param provider the provider that was called
 * @param windows the windows that the call is counted in
 * @param ledgerIdentifier identifier in the ledger
 * @param model the model as requested; empty if it is not known
 * @param usage the estimated usage, for which tokens and budget are reserved
 * @param details what makes the tokens dearer than usual, as requested
 * @param reservation token of the reservation; null if nothing is reserved
 * @param owner key, user, team and organisation that the call is booked for
 */
public record DeferredCall(Provider provider, ReservedWindows windows, String ledgerIdentifier, String model, TokenUsage usage,
        UsageDetails details, String reservation, CallOwner owner) {

    private static final Duration MIN_LIFETIME = Duration.ofDays(1);

    /** Returns the time for which the usage can be reported: until the reservation has left its windows, at least a day. */
    public Duration lifetime() {
        var windows = reservation == null ? Duration.ZERO : Duration.ofSeconds(Settlement.longestWindow(reservation));
        return windows.compareTo(MIN_LIFETIME) > 0 ? windows : MIN_LIFETIME;
    }
}
