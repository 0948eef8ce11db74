package dev.sluice.window;

import dev.sluice.limit.Mode;

/** How the windows' store is doing at the moment. */
public interface StoreStatus {

    Mode mode();

    /** Where it is, without any secret: {@code redis}, or {@code memory}. */
    String description();
}
