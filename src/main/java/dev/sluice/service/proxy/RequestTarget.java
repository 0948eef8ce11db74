package dev.sluice.service.proxy;

import io.vertx.core.http.HttpServerRequest;

/** Request targets (RFC 9112, section 3.2), which are forwarded byte by byte. */
public final class RequestTarget {

    private RequestTarget() {
    }

    /** Returns path and query as they were sent, also if the target was in absolute form. */
    public static String originForm(HttpServerRequest request) {
        var uri = request.uri();
        if (uri.startsWith("/") || uri.equals("*")) {
            return uri;
        }
        var query = request.query();
        return request.path() + (query == null ? "" : '?' + query);
    }
}
