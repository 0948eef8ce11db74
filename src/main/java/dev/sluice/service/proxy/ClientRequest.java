package dev.sluice.service.proxy;

import java.util.Locale;

import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;

/** Properties of a client's request that determine how it is forwarded. */
public final class ClientRequest {

    private ClientRequest() {
    }

    /** Returns path and query of the target (RFC 9112, section 3.2) as they were sent, also if it was in absolute form. */
    public static String originForm(HttpServerRequest request) {
        var uri = request.uri();
        if (uri.startsWith("/") || uri.equals("*")) {
            return uri;
        }
        var query = request.query();
        return request.path() + (query == null ? "" : '?' + query);
    }

    /**
     * Returns host and port that the request is for: those of a target in absolute form (RFC 9112, section 3.2.2), otherwise those of
     * the Host field or of HTTP/2's {@code :authority}.
     *
     * @return null if the request has none
     */
    public static String authority(HttpServerRequest request) {
        var ofTarget = authorityOfTarget(request.uri());
        return ofTarget != null ? ofTarget : request.authority() == null ? null : request.authority().toString();
    }

    /** Returns host and port of a target in absolute form; null for other forms. */
    static String authorityOfTarget(String target) {
        int scheme = target.startsWith("/") ? -1 : target.indexOf("://");
        if (scheme < 0) {
            return null;
        }
        int begin = scheme + "://".length();
        int end = begin;
        while (end < target.length() && "/?#".indexOf(target.charAt(end)) < 0) {
            end++;
        }
        return target.substring(Math.max(begin, target.lastIndexOf('@', end - 1) + 1), end);
    }

    /** Returns whether the request is the opening handshake of a WebSocket (RFC 6455, section 4.1). */
    public static boolean isWebSocketHandshake(HttpServerRequest request) {
        var headers = request.headers();
        return request.version() == HttpVersion.HTTP_1_1 && request.method() == HttpMethod.GET
                && headers.contains(HttpHeaders.UPGRADE, "websocket", true) && !announcesBody(headers)
                && headers.getAll(HttpHeaders.CONNECTION).stream()
                        .anyMatch(options -> options.toLowerCase(Locale.ROOT).contains("upgrade"));
    }

    /** Returns whether the header section of an HTTP/1 request announces a body. */
    static boolean announcesBody(MultiMap headers) {
        var length = headers.get(HttpHeaders.CONTENT_LENGTH);
        return length == null ? headers.contains(HttpHeaders.TRANSFER_ENCODING) : !"0".equals(length);
    }
}
