package dev.sluice.directory.cache;

import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.sluice.identity.chain.IdentityChain;
import io.smallrye.mutiny.Uni;

/** Directory without identities, where none are stored. */
final class EmptyCallerDirectory implements CallerDirectory {

    private static final ResolvedCaller NONE = new ResolvedCaller(null, IdentityChain.NONE);

    @Override
    public boolean mayHaveKey(String text) {
        return false;
    }

    @Override
    public boolean hasKeys() {
        return false;
    }

    @Override
    public boolean isCachedKey(String hash) {
        return false;
    }

    @Override
    public KeyResult findKey(String hash) {
        return KeyResult.NONE;
    }

    @Override
    public Uni<KeyResult> loadKey(String hash) {
        return Uni.createFrom().item(KeyResult.NONE);
    }

    @Override
    public void recordUse(ResolvedKey key) {
        // there are no keys
    }

    @Override
    public ResolvedCaller findCaller(@Nullable String user, @Nullable String team, @Nullable String org) {
        return team == null && org == null
                ? NONE
                : new ResolvedCaller(null, new IdentityChain(null, user, team, org, List.of(), List.of()));
    }

    @Override
    public Uni<ResolvedCaller> loadCaller(@Nullable String user, @Nullable String team, @Nullable String org) {
        return Uni.createFrom().item(findCaller(user, team, org));
    }
}
