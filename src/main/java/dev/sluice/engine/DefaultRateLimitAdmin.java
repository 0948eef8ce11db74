package dev.sluice.engine;

import java.time.Duration;
import java.util.Map;

import dev.sluice.api.RateLimitAdmin;
import dev.sluice.api.WindowUsage;
import dev.sluice.store.ResetScope;
import io.smallrye.mutiny.Uni;

/** Reads and resets windows in the active store. */
final class DefaultRateLimitAdmin implements RateLimitAdmin {

    private final FailoverWindowStore store;

    DefaultRateLimitAdmin(FailoverWindowStore store) {
        this.store = store;
    }

    @Override
    public Uni<WindowUsage> usage(String identifier, String resource, Duration window) {
        return SubscriberContext.completeOn(() -> store.read(windows -> windows.usage(identifier, resource, window)));
    }

    @Override
    public Uni<Map<String, Long>> limits(String identifier) {
        return SubscriberContext.completeOn(() -> store.read(windows -> windows.limits(identifier)));
    }

    @Override
    public Uni<Void> reset(String identifier, String resource) {
        return reset(new ResetScope(identifier, resource));
    }

    @Override
    public Uni<Void> reset(String identifier) {
        return reset(new ResetScope(identifier, null));
    }

    @Override
    public Uni<Void> resetAll() {
        return reset(ResetScope.ALL);
    }

    private Uni<Void> reset(ResetScope scope) {
        return SubscriberContext.completeOn(() -> store.reset(scope));
    }
}
