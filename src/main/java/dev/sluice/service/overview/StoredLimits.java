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
import dev.sluice.identity.chain.LevelResources;
import io.smallrye.mutiny.Uni;

/** Limits and tier of the stored identity that an identifier names. Thread-safe. */
@ApplicationScoped
class StoredLimits {

    /**
     * Limits and relations of a stored identity.
     *
     * @param tier its tier; null if it has none
     * @param rates rates of its own limits, by resource
     */
    record Limits(@Nullable String tier, Map<String, Rate> rates) {

        static final Limits NONE = new Limits(null, Map.of());
    }

    private final IdentityStore store;

    StoredLimits(IdentityStore store) {
        this.store = store;
    }

    /** Returns the limits; none if the identifier names no stored identity, or it cannot be read. */
    Uni<Limits> of(String identifier) {
        for (var kind : IdentityKind.values()) {
            var prefix = kind.identifier("");
            if (identifier.startsWith(prefix) && identifier.length() > prefix.length()) {
                return store.find(kind, identifier.substring(prefix.length())).map(StoredLimits::limits).onFailure()
                        .recoverWithItem(Limits.NONE);
            }
        }
        return Uni.createFrom().item(Limits.NONE);
    }

    private static Limits limits(@Nullable StoredIdentity identity) {
        if (identity == null) {
            return Limits.NONE;
        }
        try {
            var attributes = IdentityAttributes.of(identity.document());
            return new Limits(attributes.tier(), LevelResources.rates(attributes.limits()));
        } catch (InvalidLimitsException e) {
            return Limits.NONE;
        }
    }
}
