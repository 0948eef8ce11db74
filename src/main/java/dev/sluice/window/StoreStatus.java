package dev.sluice.window;

import dev.sluice.limit.Mode;

/** How the windows' store is doing at the moment. */
public interface StoreStatus {

    Mode mode();
}
