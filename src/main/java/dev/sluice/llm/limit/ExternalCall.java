package dev.sluice.llm.limit;

import org.jspecify.annotations.Nullable;

import dev.sluice.identity.chain.IdentityChain;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.TokenUsage;

/**
 * Call that a program has made itself, and reports afterwards.
 *
 * @param provider the provider that was called
 * @param identifier the caller's identifier, as stored
 * @param tier the caller's tier; null or an unknown tier is treated as the first configured one
 * @param chain the levels of the caller
 * @param model the model's name
 * @param usage the call's usage
 * @param reservation the token from {@link AdmittedCall#reservation()}; null if there is none
 * @param requestId idempotency key: usage with the same key is booked and counted once per identifier and provider; null if there
 *        is none
 */
public record ExternalCall(Provider provider, String identifier, @Nullable String tier, IdentityChain chain, String model,
        TokenUsage usage, @Nullable String reservation, @Nullable String requestId) {
}
