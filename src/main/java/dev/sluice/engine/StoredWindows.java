package dev.sluice.engine;

import java.util.Map;

import dev.sluice.api.StoreUnavailableException;
import dev.sluice.store.WindowKey;
import io.smallrye.mutiny.Uni;

/** Lists the windows of an identifier in the active store. Thread-safe. */
public final class StoredWindows {

    private final FailoverWindowStore store;

    StoredWindows(FailoverWindowStore store) {
        this.store = store;
    }

    /**
     * Returns the units used in each window of an identifier, without a scan; omits empty windows. Fails with
     * {@link StoreUnavailableException} if no store can be read.
     */
    public Uni<Map<WindowKey, Long>> of(String identifier) {
        return SubscriberContext.completeOn(() -> store.read(windows -> windows.windows(identifier)));
    }
}
