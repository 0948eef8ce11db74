package dev.sluice.service.overview;

import java.util.Map;

import jakarta.enterprise.context.ApplicationScoped;

import org.jspecify.annotations.Nullable;

import dev.sluice.api.Rate;
import dev.sluice.directory.IdentityAttributes;
import dev.sluice.directory.IdentityKind;
import dev.sluice.directory.IdentityStore;
import dev.sluice.directory.InvalidLimitsException;
import dev.sluice.directory.StoredIdentity;
import dev.sluice.identity.ApiKeyRegistry;
import dev.sluice.identity.chain.LevelResources;
import io.smallrye.mutiny.Uni;

/** Limits and tier of the identity, or of the member of a team or an organisation, that an identifier names. Thread-safe. */
@ApplicationScoped
class StoredLimits {

    /**
     * Limits and relations of a stored identity.
     *
     * @param tier its tier, or that of its keys in the settings; null if it has none
     * @param rates rates of its own limits, by resource
     */
    record Limits(@Nullable String tier, Map<String, Rate> rates) {

        static final Limits NONE = new Limits(null, Map.of());
    }

    /** Between the identifier of a team or an organisation and the name of a member. */
    private static final String MEMBER = '/' + IdentityKind.USER.identifier("");

    private final IdentityStore store;
    private final ApiKeyRegistry keys;

    StoredLimits(IdentityStore store, ApiKeyRegistry keys) {
        this.store = store;
        this.keys = keys;
    }

    /**
     * Returns the limits; none if the identifier names no stored identity, or it cannot be read. The tier is that of its keys in the
     * settings if it has none of its own.
     */
    Uni<Limits> of(String identifier) {
        return find(identifier).map(
                limits -> limits.tier() == null ? new Limits(keys.tier(identifier), limits.rates()) : limits);
    }

    private Uni<Limits> find(String identifier) {
        for (var kind : IdentityKind.values()) {
            var prefix = kind.identifier("");
            if (identifier.startsWith(prefix) && identifier.length() > prefix.length()) {
                var name = identifier.substring(prefix.length());
                int member = name.indexOf(MEMBER);
                return store.find(kind, member < 0 ? name : name.substring(0, member))
                        .map(identity -> limits(identity, member >= 0)).onFailure().recoverWithItem(Limits.NONE);
            }
        }
        return Uni.createFrom().item(Limits.NONE);
    }

    private static Limits limits(@Nullable StoredIdentity identity, boolean ofMember) {
        if (identity == null) {
            return Limits.NONE;
        }
        try {
            var attributes = IdentityAttributes.of(identity.document());
            return ofMember
                    ? new Limits(null, LevelResources.rates(attributes.memberLimits()))
                    : new Limits(attributes.tier(), LevelResources.rates(attributes.limits()));
        } catch (InvalidLimitsException e) {
            return Limits.NONE;
        }
    }
}
