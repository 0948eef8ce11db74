package dev.sluice.service.api.identities;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

import dev.sluice.directory.StoredIdentity;
import dev.sluice.service.api.BadRequestException;
import io.vertx.core.MultiMap;

/**
 * Conditions of a change (RFC 9110, section 13): {@code If-Match}, and {@code If-None-Match: *}, which only creates. Immutable.
 *
 * @param anyExisting whether {@code If-Match: *} requires that the identity exists
 * @param tags entity tags of {@code If-Match}, one of which must be the current one; null if there are none
 * @param onlyCreate whether the identity must not exist
 */
record Precondition(boolean anyExisting, Set<String> tags, boolean onlyCreate) {

    static final Precondition NONE = new Precondition(false, null, false);

    private static final String IF_MATCH = "If-Match";
    private static final String IF_NONE_MATCH = "If-None-Match";
    /** {@code entity-tag} of RFC 9110, section 8.8.3; an empty element of a list is allowed. */
    private static final Pattern TAG = Pattern.compile("\\s*((?:W/)?\"[\\x21\\x23-\\x7e\\x80-\\xff]*\")?\\s*(?:,|$)");

    /**
     * Reads the conditions of a request.
     *
     * @throws BadRequestException if a field is malformed
     */
    static Precondition of(MultiMap headers) {
        var match = headers.getAll(IF_MATCH);
        var noneMatch = headers.getAll(IF_NONE_MATCH);
        if (!noneMatch.isEmpty() && !isAny(noneMatch)) {
            throw BadRequestException.forField(IF_NONE_MATCH, "If-None-Match must be *, which creates only");
        }
        boolean any = isAny(match);
        return new Precondition(any, match.isEmpty() || any ? null : tags(String.join(",", match)), !noneMatch.isEmpty());
    }

    private static boolean isAny(List<String> values) {
        return values.size() == 1 && values.get(0).strip().equals("*");
    }

    private static Set<String> tags(String list) {
        var tags = new HashSet<String>();
        var matcher = TAG.matcher(list);
        int end = 0;
        while (end < list.length()) {
            if (!matcher.find(end) || matcher.start() != end) {
                throw BadRequestException.forField(IF_MATCH,
                        "If-Match must be the ETag of what was read, a list of them, or *");
            }
            if (matcher.group(1) != null) {
                tags.add(matcher.group(1));
            }
            end = matcher.end();
        }
        if (tags.isEmpty()) {
            throw BadRequestException.forField(IF_MATCH, "If-Match must be the ETag of what was read, a list of them, or *");
        }
        return tags;
    }

    /**
     * Returns the entity tag of a revision. After a failover of Redis that has lost changes, revisions are numbered again; the time of
     * the change tells them apart.
     */
    static String entityTag(StoredIdentity identity) {
        var changedAt = identity.document().getString("updated_at", "");
        return '"' + Long.toString(identity.revision()) + '-' + Integer.toUnsignedString(changedAt.hashCode(), 36) + '"';
    }

    /**
     * Requires that the current state fulfils the conditions.
     *
     * @param current null if the identity does not exist
     */
    void require(StoredIdentity current) {
        if (onlyCreate && current != null) {
            throw IdentityErrors.preconditionFailed("It exists already (If-None-Match: *)");
        }
        if (current == null && (anyExisting || tags != null)) {
            throw IdentityErrors.preconditionFailed("It does not exist (If-Match)");
        }
        if (tags != null && !tags.contains(entityTag(current))) { // a weak tag never matches
            throw IdentityErrors.preconditionFailed("It has been changed since it was read (If-Match)");
        }
    }
}
