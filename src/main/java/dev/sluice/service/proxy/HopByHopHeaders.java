package dev.sluice.service.proxy;

import java.util.Locale;
import java.util.Set;

import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;

/** Header fields that concern one connection only and are never forwarded (RFC 9110, section 7.6.1). */
public final class HopByHopHeaders {

    private static final CharSequence KEEP_ALIVE = HttpHeaders.createOptimized("Keep-Alive");
    private static final CharSequence PROXY_CONNECTION = HttpHeaders.createOptimized("Proxy-Connection");
    private static final CharSequence TE = HttpHeaders.createOptimized("TE");
    private static final CharSequence HTTP2_SETTINGS = HttpHeaders.createOptimized("HTTP2-Settings");
    private static final String TRAILERS = "trailers";
    /** Connection options and fields for framing and routing, which Connection cannot declare to be hop-by-hop. */
    private static final Set<String> NEVER_NOMINATED = Set.of("close", "keep-alive", "upgrade", "content-length",
            "transfer-encoding", "host", "te", "connection");

    private HopByHopHeaders() {
    }

    /** Removes the fields from a request; {@code TE: trailers} stays, because it asks for something end to end. */
    public static void removeFromRequest(MultiMap headers) {
        boolean trailers = acceptsTrailers(headers);
        remove(headers);
        headers.remove(HTTP2_SETTINGS).remove(HttpHeaders.EXPECT); // Expect has been handled
        if (trailers) {
            headers.set(TE, TRAILERS);
        }
    }

    /** Removes the fields from a response. */
    public static void removeFromResponse(MultiMap headers) {
        remove(headers);
    }

    private static boolean acceptsTrailers(MultiMap headers) {
        var te = headers.get(TE);
        if (te == null) {
            return false;
        }
        for (var coding : te.split(",")) {
            if (coding.strip().equalsIgnoreCase(TRAILERS)) {
                return true;
            }
        }
        return false;
    }

    private static void remove(MultiMap headers) {
        if (headers.contains(HttpHeaders.CONNECTION)) {
            for (var line : headers.getAll(HttpHeaders.CONNECTION)) {
                for (var name : line.split(",")) {
                    var nominated = name.strip();
                    if (!nominated.isEmpty() && !NEVER_NOMINATED.contains(nominated.toLowerCase(Locale.ROOT))) {
                        headers.remove(nominated);
                    }
                }
            }
            headers.remove(HttpHeaders.CONNECTION);
        }
        headers.remove(KEEP_ALIVE).remove(PROXY_CONNECTION).remove(TE).remove(HttpHeaders.TRANSFER_ENCODING)
                .remove(HttpHeaders.UPGRADE);
    }
}
