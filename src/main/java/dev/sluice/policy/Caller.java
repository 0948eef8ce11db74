package dev.sluice.policy;

import dev.sluice.identity.Identity;

/**
 * Identity of the sender of a request, and its configured tier.
 *
 * @param identity the resolved identity
 * @param tier one of {@link CurrentPolicy#tiers()}
 */
public record Caller(Identity identity, String tier) {
}
