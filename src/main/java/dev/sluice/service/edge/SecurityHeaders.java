package dev.sluice.service.edge;

import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;

/**
 * Security headers of the service's own responses: no content sniffing, no caching, no scripts and no framing. Forwarded
 * responses carry only the headers of their origin.
 */
public final class SecurityHeaders {

    private static final CharSequence CONTENT_TYPE_OPTIONS = HttpHeaders.createOptimized("X-Content-Type-Options");
    private static final CharSequence NOSNIFF = HttpHeaders.createOptimized("nosniff");
    private static final CharSequence NO_STORE = HttpHeaders.createOptimized("no-store");
    private static final CharSequence CONTENT_SECURITY_POLICY = HttpHeaders.createOptimized("Content-Security-Policy");
    private static final CharSequence DENY_ALL = HttpHeaders
            .createOptimized("default-src 'none'; frame-ancestors 'none'");

    private SecurityHeaders() {
    }

    /** Adds the headers, before a response is written. */
    public static void put(MultiMap headers) {
        headers.set(CONTENT_TYPE_OPTIONS, NOSNIFF).set(HttpHeaders.CACHE_CONTROL, NO_STORE).set(CONTENT_SECURITY_POLICY,
                DENY_ALL);
    }

    /** Removes the headers from a forwarded response. */
    public static void remove(MultiMap headers) {
        headers.remove(CONTENT_TYPE_OPTIONS).remove(HttpHeaders.CACHE_CONTROL).remove(CONTENT_SECURITY_POLICY);
    }
}
