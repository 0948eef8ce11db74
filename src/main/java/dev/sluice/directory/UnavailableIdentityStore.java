package dev.sluice.directory;

import org.jspecify.annotations.Nullable;

import dev.sluice.api.StoreUnavailableException;
import io.smallrye.mutiny.Uni;
import io.vertx.core.json.JsonObject;

/** Store of identities where there is none: every call fails. */
public final class UnavailableIdentityStore implements IdentityStore {

    private final String reason;

    /** @param reason message of the failures: which setting to change */
    public UnavailableIdentityStore(String reason) {
        this.reason = reason;
    }

    private <T> Uni<T> fail() {
        return Uni.createFrom().failure(() -> new StoreUnavailableException(reason, null));
    }

    @Override
    public Uni<@Nullable StoredIdentity> find(IdentityKind kind, String name) {
        return fail();
    }

    @Override
    public Uni<WriteResult> write(IdentityWrite write) {
        return fail();
    }

    @Override
    public Uni<IdentityPage> list(IdentityQuery query) {
        return fail();
    }

    @Override
    public Uni<String> newKeyId() {
        return fail();
    }

    @Override
    public Uni<Void> record(JsonObject entry) {
        return fail();
    }

    @Override
    public Uni<AuditPage> audit(int limit, @Nullable String after) {
        return fail();
    }
}
