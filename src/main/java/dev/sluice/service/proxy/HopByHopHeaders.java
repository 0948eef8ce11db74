package dev.sluice.service.proxy;

import java.util.Locale;
import java.util.Set;

import io.netty.util.AsciiString;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;

/** Header fields that concern one connection only and are never forwarded (RFC 9110, section 7.6.1). */
public final class HopByHopHeaders {

    private static final AsciiString CONNECTION = AsciiString.cached("Connection");
    private static final AsciiString KEEP_ALIVE = AsciiString.cached("Keep-Alive");
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

    /** Removes the fields from a response, except Connection and Keep-Alive, which the client of the upstream still needs. */
    static void removeFromResponse(MultiMap headers) {
        removeNominated(headers);
        removeOthers(headers);
    }

    /** Removes the fields from trailers, and those that have a meaning in a header section only. */
    static void removeFromTrailers(MultiMap trailers) {
        remove(trailers);
        trailers.remove(HttpHeaders.CONTENT_LENGTH);
    }

    /** Returns whether a field is one of those that {@link #removeFromResponse} leaves. */
    static boolean isConnectionField(String name) {
        return name.length() == 10 && (CONNECTION.contentEqualsIgnoreCase(name) || KEEP_ALIVE.contentEqualsIgnoreCase(name));
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
        removeNominated(headers);
        removeOthers(headers);
        headers.remove(CONNECTION).remove(KEEP_ALIVE);
    }

    private static void removeNominated(MultiMap headers) {
        if (headers.contains(HttpHeaders.CONNECTION)) {
            for (var line : headers.getAll(HttpHeaders.CONNECTION)) {
                for (var name : line.split(",")) {
                    var nominated = name.strip();
                    if (!nominated.isEmpty() && !NEVER_NOMINATED.contains(nominated.toLowerCase(Locale.ROOT))) {
                        headers.remove(nominated);
                    }
                }
            }
        }
    }

    private static void removeOthers(MultiMap headers) {
        headers.remove(PROXY_CONNECTION).remove(TE).remove(HttpHeaders.TRANSFER_ENCODING)
                .remove(HttpHeaders.UPGRADE);
    }
}
