package dev.sluice.identity;

import jakarta.enterprise.context.ApplicationScoped;

import org.jspecify.annotations.Nullable;

import dev.sluice.directory.IdentityKind;
import dev.sluice.directory.cache.CallerDirectory;
import dev.sluice.directory.cache.ResolvedCaller;
import dev.sluice.identity.chain.IdentityChain;
import io.smallrye.mutiny.Uni;

/**
 * Resolves callers that a program names, instead of credentials that identify them: the stored limits of the user, team or
 * organisation of an identifier. Thread-safe. Internal.
 */
@ApplicationScoped
public class NamedCallerResolver {

    private static final ResolvedCaller NONE = new ResolvedCaller(null, IdentityChain.NONE);

    private final CallerDirectory stored;

    NamedCallerResolver(CallerDirectory stored) {
        this.stored = stored;
    }

    /**
     * Returns the caller of an identifier.
     *
     * @param identifier the identifier, such as {@code user:alice}; one that names no identity has no limits of its own
     * @param team name of the team that the caller acts for; null if there is none
     * @param org name of the organisation, which counts if the team has none; null if there is none
     * @return completes at once if the records are in the cache; if Redis does not reply, the caller has no limits of its own; fails
     *         with {@link dev.sluice.api.StoreUnavailableException} if a record cannot be read
     */
    public Uni<ResolvedCaller> resolve(String identifier, @Nullable String team, @Nullable String org) {
        var user = IdentityKind.USER.nameIn(identifier);
        var effectiveTeam = team == null ? IdentityKind.TEAM.nameIn(identifier) : team;
        var effectiveOrg = org == null ? IdentityKind.ORG.nameIn(identifier) : org;
        if (user == null && effectiveTeam == null && effectiveOrg == null) {
            return Uni.createFrom().item(NONE);
        }
        var known = stored.findCaller(user, effectiveTeam, effectiveOrg);
        return known != null ? Uni.createFrom().item(known) : stored.loadCaller(user, effectiveTeam, effectiveOrg);
    }
}
