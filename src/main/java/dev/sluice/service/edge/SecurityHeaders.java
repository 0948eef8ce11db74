package dev.sluice.service.edge;

import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;

/**
 * What stands on every answer of the service's own, for browsers that get hold of one: it is what it says it is, nobody keeps
 * it, and nothing in it runs or is shown in a frame. The answers of others have none of it but what they say themselves.
 */
public final class SecurityHeaders {

    private static final CharSequence SNIFFING = HttpHeaders.createOptimized("X-Content-Type-Options");
    private static final CharSequence NO_SNIFFING = HttpHeaders.createOptimized("nosniff");
    private static final CharSequence NOT_KEPT = HttpHeaders.createOptimized("no-store");
    private static final CharSequence POLICY = HttpHeaders.createOptimized("Content-Security-Policy");
    private static final CharSequence NOTHING_RUNS = HttpHeaders
            .createOptimized("default-src 'none'; frame-ancestors 'none'");

    private SecurityHeaders() {
    }

    /** Before anybody answers. */
    public static void put(MultiMap answer) {
        answer.set(SNIFFING, NO_SNIFFING).set(HttpHeaders.CACHE_CONTROL, NOT_KEPT).set(POLICY, NOTHING_RUNS);
    }

    /** Somebody else has answered. */
    public static void takeOff(MultiMap answer) {
        answer.remove(SNIFFING).remove(HttpHeaders.CACHE_CONTROL).remove(POLICY);
    }
}
