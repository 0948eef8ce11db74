package dev.sluice.identity;

import jakarta.enterprise.context.ApplicationScoped;

import org.eclipse.microprofile.jwt.JsonWebToken;
import org.jspecify.annotations.Nullable;

import dev.sluice.directory.IdentityNames;
import dev.sluice.directory.cache.CallerDirectory;
import dev.sluice.directory.cache.ResolvedCaller;
import dev.sluice.identity.chain.ClaimReader;
import dev.sluice.identity.chain.InvalidClaimException;
import io.smallrye.mutiny.Uni;

/**
 * Adds the limits of stored users, teams and organisations to identities that are established without them, and reads the team and
 * the organisation that a token names. The tier of a user's record wins over that of the credentials. Thread-safe. Internal.
 */
@ApplicationScoped
class IdentityEnricher {

    private final CallerDirectory stored;
    private final ClaimReader teamClaim;
    private final ClaimReader orgClaim;

    IdentityEnricher(CallerDirectory stored, IdentityConfig config) {
        this.stored = stored;
        this.teamClaim = new ClaimReader(config.jwt().teamClaim());
        this.orgClaim = new ClaimReader(config.jwt().orgClaim());
    }

    /**
     * Adds what is in the cache.
     *
     * @param team name of the team; null if there is none
     * @param org name of the organisation, which counts if the team has none; null if there is none
     * @return null if a record is to be {@linkplain #load read from Redis}
     */
    @Nullable
    Identity find(Identity identity, @Nullable String team, @Nullable String org) {
        var caller = stored.findCaller(userOf(identity), team, org);
        return caller == null ? null : enriched(identity, caller);
    }

    /** Reads the records from Redis. Without Redis, the identity has no limits of its own. */
    Uni<Identity> load(Identity identity, @Nullable String team, @Nullable String org) {
        var known = find(identity, team, org);
        return known != null
                ? Uni.createFrom().item(known)
                : stored.loadCaller(userOf(identity), team, org).map(caller -> enriched(identity, caller));
    }

    /** Returns the user, if the name can be that of a record. */
    private static @Nullable String userOf(Identity identity) {
        return identity.userName().filter(IdentityNames::isValid).orElse(null);
    }

    private static Identity enriched(Identity identity, ResolvedCaller caller) {
        return new Identity(identity.identifier(), identity.source(), caller.tier() == null ? identity.tier() : caller.tier(),
                caller.chain(), identity.claims());
    }

    /**
     * Reads the records of the caller of a token.
     *
     * @throws RejectedCredentialException if the token names several teams or organisations, or what is no name
     */
    Uni<Identity> loadForToken(Identity identity, JsonWebToken token) {
        return load(identity, claim(teamClaim, token), claim(orgClaim, token));
    }

    private static @Nullable String claim(ClaimReader reader, JsonWebToken token) {
        String name;
        try {
            name = reader.read(token::getClaim, token.getRawToken());
        } catch (InvalidClaimException e) {
            throw new RejectedCredentialException(RejectedCredential.JWT_INVALID_CLAIM, e.getMessage());
        }
        if (name != null && !IdentityNames.isValid(name)) {
            throw new RejectedCredentialException(RejectedCredential.JWT_INVALID_CLAIM,
                    "The claim " + reader.path() + " of the token must be a name: " + IdentityNames.RULE);
        }
        return name;
    }
}
