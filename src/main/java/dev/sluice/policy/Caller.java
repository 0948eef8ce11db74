package dev.sluice.policy;

import dev.sluice.caller.Identity;

/**
 * Who is calling, and in which of the configured tiers.
 *
 * @param identity who
 * @param tier one of {@link Policy#tiers()}
 */
public record Caller(Identity identity, String tier) {
}
