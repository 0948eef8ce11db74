package dev.sluice.testing.wire;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A request for any version of HTTP. Each character of a target, name or value stands for one byte. */
public final class WireRequest {

    final String method;
    final String target;
    final List<Map.Entry<String, String>> fields = new ArrayList<>();
    byte[] body;
    String scheme = "http";

    private WireRequest(String method, String target) {
        this.method = method;
        this.target = target;
    }

    public static WireRequest of(String method, String target) {
        return new WireRequest(method, target);
    }

    public static WireRequest get(String target) {
        return of("GET", target);
    }

    public static WireRequest head(String target) {
        return of("HEAD", target);
    }

    /** Returns a POST request without a body. */
    public static WireRequest post(String target) {
        return of("POST", target);
    }

    public WireRequest field(String name, String value) {
        fields.add(Map.entry(name, value));
        return this;
    }

    /** Sets a body, which is sent with its Content-Length. */
    public WireRequest body(String text) {
        return body(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** Sets a body whose length differs from the one that is announced. */
    public WireRequest body(byte[] bytes, int announcedLength) {
        body = bytes;
        return field("Content-Length", Integer.toString(announcedLength));
    }

    public WireRequest body(byte[] bytes) {
        body = bytes;
        return field("Content-Length", Integer.toString(bytes.length));
    }

    /** Sets the pseudo-header field {@code :scheme}, for HTTP/2. */
    public WireRequest scheme(String value) {
        scheme = value;
        return this;
    }
}
