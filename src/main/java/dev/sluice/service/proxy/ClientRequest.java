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
