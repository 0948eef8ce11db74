package dev.sluice.http;

import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;

/** Finds the host and port that a request is for. */
public final class RequestAuthority {

    private RequestAuthority() {
    }

    /**
     * Returns host and port: those of a target in absolute form (RFC 9112, section 3.2.2), otherwise those of the Host field or of
     * HTTP/2's {@code :authority}. They need not be valid.
     *
     * @return null if the request has none
     */
    public static String of(HttpServerRequest request) {
        var ofTarget = ofTarget(request.uri());
        if (ofTarget != null) {
            return ofTarget;
        }
        return request.authority() == null ? request.getHeader(HttpHeaders.HOST) : request.authority().toString();
    }

    /** Returns host and port of a target in absolute form; null for other forms. */
    public static String ofTarget(String target) {
        int scheme = target.startsWith("/") ? -1 : target.indexOf("://");
        if (scheme < 0) {
            return null;
        }
        int begin = scheme + "://".length();
        int end = begin;
        while (end < target.length() && "/\\?#".indexOf(target.charAt(end)) < 0) {
            end++;
        }
        return target.substring(Math.max(begin, target.lastIndexOf('@', end - 1) + 1), end);
    }
}
