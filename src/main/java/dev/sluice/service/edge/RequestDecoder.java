package dev.sluice.service.edge;

import java.util.List;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpVersion;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.impl.VertxHttpRequestDecoder;

/**
 * HTTP/1 decoder that is as strict as RFC 9112 where the one of Vert.x and Netty is not, and accepts {@code chunked} in any
 * case, as section 7 of that RFC requires.
 * <p>
 * It ignores {@code Upgrade: h2c}, which RFC 9113 (section 3.1) has made obsolete, in a request that has passed a proxy: the proxy
 * would pass on what follows without looking at it, and the client could speak for the proxy.
 */
final class RequestDecoder extends VertxHttpRequestDecoder {

    private static final String CONNECT = "CONNECT";
    private static final String CHUNKED = "chunked";
    private static final String H2C = "h2c";
    private static final String HTTP2_SETTINGS = "HTTP2-Settings";
    /** Fields that proxies add. */
    private static final List<String> PROXY_FIELDS = List.of("Via", "X-Forwarded-For", "Forwarded", "X-Real-IP",
            "X-Forwarded-Proto", "X-Forwarded-Host");
    private static final String TOKEN_SYMBOLS = "!#$%&'*+-.^_`|~";

    private final boolean peerIsProxy;

    RequestDecoder(HttpServerOptions options, boolean peerIsProxy) {
        super(options);
        this.peerIsProxy = peerIsProxy;
    }

    @Override
    protected HttpMessage createMessage(String[] requestLine) {
        if (!isToken(requestLine[0])) {
            throw new MalformedRequestException("method", "The method must be a token");
        }
        if (!isTarget(requestLine[1])) {
            throw new MalformedRequestException("path", "The request target must not be empty or contain control characters");
        }
        if (CONNECT.equals(requestLine[0]) && requestLine[1].startsWith("/")) { // RFC 9112, section 3.2.3
            throw new MalformedRequestException("path", "The target of CONNECT must be a host and a port");
        }
        if (!"HTTP/1.1".equals(requestLine[2]) && !"HTTP/1.0".equals(requestLine[2])) {
            throw new MalformedRequestException("version", "HTTP version must be 1.0, 1.1 or 2");
        }
        return super.createMessage(requestLine);
    }

    private static boolean isToken(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean alphanumeric = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9';
            if (!alphanumeric && TOKEN_SYMBOLS.indexOf(c) < 0) {
                return false;
            }
        }
        return !text.isEmpty();
    }

    /** Accepts what browsers send, although RFC 3986 does not: for example braces, quotes and UTF-8. */
    private static boolean isTarget(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (RequestTargets.isControl(text.charAt(i))) {
                return false;
            }
        }
        return !text.isEmpty();
    }

    /** Called with the complete header section, before it is decided whether there is a body. */
    @Override
    protected boolean isContentAlwaysEmpty(HttpMessage message) {
        var headers = message == null ? null : message.headers();
        if (headers != null && message.protocolVersion().equals(HttpVersion.HTTP_1_1)
                && !headers.contains(HttpHeaderNames.HOST)) {
            throw new MalformedRequestException("host", "A request with HTTP/1.1 must have a Host header");
        }
        if (headers != null && headers.contains("")) {
            throw new MalformedRequestException("headers", "A header must have a name");
        }
        if (headers != null && headers.contains(HttpHeaderNames.TRANSFER_ENCODING)) {
            var codings = headers.getAll(HttpHeaderNames.TRANSFER_ENCODING);
            if (codings.size() == 1 && CHUNKED.equalsIgnoreCase(codings.get(0))) {
                headers.set(HttpHeaderNames.TRANSFER_ENCODING, CHUNKED); // Vert.x's headers compare it case-sensitively
            }
        }
        if (headers != null && headers.contains(HttpHeaderNames.UPGRADE, H2C, true)
                && (peerIsProxy || PROXY_FIELDS.stream().anyMatch(headers::contains))) {
            headers.remove(HttpHeaderNames.UPGRADE);
            headers.remove(HTTP2_SETTINGS);
        }
        return super.isContentAlwaysEmpty(message);
    }
}
