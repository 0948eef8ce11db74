package dev.sluice.service.proxy;

import java.nio.charset.StandardCharsets;

import dev.sluice.identity.Utf8;
import dev.sluice.policy.RequestPath;
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

    /**
     * Prepares a target for the HTTP/1 encoder of Netty, which writes UTF-8: bytes that are UTF-8 stay as they are, others are
     * percent-encoded.
     *
     * @param target each character is one byte
     */
    static String forHttp1(String target) {
        for (int i = 0; i < target.length(); i++) {
            if (target.charAt(i) >= 0x80) {
                var bytes = target.getBytes(StandardCharsets.ISO_8859_1);
                return Utf8.isValid(bytes) ? new String(bytes, StandardCharsets.UTF_8) : RequestPath.toAscii(target);
            }
        }
        return target;
    }
}
