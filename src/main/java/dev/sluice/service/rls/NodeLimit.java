package dev.sluice.service.rls;

import java.util.List;

import dev.sluice.api.Rate;

/**
 * Limit of a descriptor: one or several windows, all of which must hold, or unlimited, or blocked.
 *
 * @param kind whether there are windows
 * @param windows empty unless the kind is {@link Kind#WINDOWS}
 */
record NodeLimit(Kind kind, List<Window> windows) {

    enum Kind {
        WINDOWS, UNLIMITED, BLOCKED
    }

    /**
     * A window.
     *
     * @param limit units per window, at least 1
     * @param seconds length of the window
     */
    record Window(long limit, long seconds) {
    }

    static final NodeLimit UNLIMITED = new NodeLimit(Kind.UNLIMITED, List.of());
    static final NodeLimit BLOCKED = new NodeLimit(Kind.BLOCKED, List.of());

    static NodeLimit of(long limit, long seconds) {
        return limit == 0 ? BLOCKED : new NodeLimit(Kind.WINDOWS, List.of(new Window(limit, seconds)));
    }

    static NodeLimit of(Rate rate) {
        return rate == Rate.UNLIMITED
                ? UNLIMITED
                : rate == Rate.BLOCKED
                        ? BLOCKED
                        : new NodeLimit(Kind.WINDOWS, rate.quotas().stream()
                                .map(quota -> new Window(quota.limit(), quota.windowSeconds())).toList());
    }
}
