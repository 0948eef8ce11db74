package dev.sluice.policy;

import dev.sluice.identity.Identity;

/**
 * Who is calling, and in which of the configured tiers.
 *
 * @param identity who
 * @param tier one of {@link CurrentPolicy#tiers()}
 */
public record Caller(Identity identity, String tier) {
}
