package dev.sluice.directory;

import java.util.List;

import org.jspecify.annotations.Nullable;

/**
 * Page of identities. It may have fewer than the limit, or none, although there are more.
 *
 * @param identities the identities
 * @param next {@link IdentityQuery#after()} of the next page; null if this is the last one
 */
public record IdentityPage(List<StoredIdentity> identities, @Nullable String next) {
}
