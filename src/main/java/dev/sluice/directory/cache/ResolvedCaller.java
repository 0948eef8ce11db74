package dev.sluice.directory.cache;

import org.jspecify.annotations.Nullable;

import dev.sluice.identity.chain.IdentityChain;

/**
 * A caller as recorded in the directory. Immutable.
 *
 * @param tier tier of the user's record or, without one, of the key's; null if neither has one
 * @param chain the levels of the caller
 */
public record ResolvedCaller(@Nullable String tier, IdentityChain chain) {
}
