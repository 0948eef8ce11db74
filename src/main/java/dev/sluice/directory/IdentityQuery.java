package dev.sluice.directory;

import org.jspecify.annotations.Nullable;

/**
 * Query of a page of identities: keys newest first, others by name.
 *
 * @param kind kind of the identities
 * @param user only keys of this user; null for any
 * @param team only keys of this team, or users that name it among their teams; null for any
 * @param org only keys of teams of this organisation, or its teams; null for any
 * @param disabled only keys that are disabled, or are not; null for any
 * @param prefix only names that begin with this text; empty for any
 * @param limit maximum number of identities, 1 to 1000
 * @param after name of the last identity of the page before; null for the first page
 */
public record IdentityQuery(IdentityKind kind, @Nullable String user, @Nullable String team, @Nullable String org,
        @Nullable Boolean disabled, String prefix, int limit, @Nullable String after) {
}
