package dev.sluice.engine;

import dev.sluice.api.RateLimitAdmin;
import dev.sluice.store.WindowStore;
import dev.sluice.store.memory.InMemoryWindowStore;

/**
 * Empties the windows of an application that is the only instance. {@link RateLimitAdmin#resetAll} completes 100 ms later, when
 * no other instance can serve a cached denial any more; a test that starts with empty windows has none to wait for.
 */
public final class WindowReset {

    private WindowReset() {
    }

    /** @param admin the application's, which uses Redis or memory */
    public static void resetAll(RateLimitAdmin admin) {
        var store = field(admin, "store", FailoverWindowStore.class);
        var memory = field(store, "memory", InMemoryWindowStore.class);
        memory.resetAllNow(); // evicts cached denials too
        store.read(WindowStore::resetAll).await().indefinitely();
        memory.resetAllNow(); // a request of an earlier test may have been in flight
    }

    private static <T> T field(Object owner, String name, Class<T> type) {
        try {
            var field = owner.getClass().getDeclaredField(name);
            field.setAccessible(true);
            return type.cast(field.get(owner));
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }
}
