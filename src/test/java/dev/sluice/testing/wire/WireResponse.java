package dev.sluice.testing.wire;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import io.vertx.core.json.JsonObject;

/** A response of any version of HTTP, and how it ended. Each character of a value stands for one byte. */
public final class WireResponse {

    /** How the response ended. */
    public enum Ending {
        /** As its framing says; HTTP/1.0 responses without Content-Length by closing. */
        COMPLETE,
        /** The connection was closed (FIN) before the end. */
        CLOSED_EARLY,
        /** The connection was reset (RST), or the HTTP/2 stream was. */
        RESET
    }

    private final int status;
    private final List<Map.Entry<String, String>> fields;
    private final ByteArrayOutputStream body = new ByteArrayOutputStream();
    private int parts;
    private final List<Map.Entry<String, String>> trailers = new ArrayList<>();
    private Ending ending;
    private long resetCode = -1;

    WireResponse(int status, List<Map.Entry<String, String>> fields) {
        this.status = status;
        this.fields = fields;
    }

    /** Returns the status code; -1 if the response ended before its header section did. */
    public int status() {
        return status;
    }

    public List<Map.Entry<String, String>> fields() {
        return fields;
    }

    /** Returns the values of the fields of this name, in their order. */
    public List<String> fields(String name) {
        return values(fields, name);
    }

    /** Returns the value of the first field of this name, or null. */
    public String field(String name) {
        var values = fields(name);
        return values.isEmpty() ? null : values.get(0);
    }

    public List<String> trailers(String name) {
        return values(trailers, name);
    }

    private static List<String> values(List<Map.Entry<String, String>> fields, String name) {
        return fields.stream().filter(field -> field.getKey().equalsIgnoreCase(name)).map(Map.Entry::getValue).toList();
    }

    /** Returns the number of DATA frames, empty ones included; for HTTP/1, of the parts in which the body was read. */
    public int parts() {
        return parts;
    }

    public byte[] body() {
        return body.toByteArray();
    }

    public String text() {
        return body.toString(StandardCharsets.UTF_8);
    }

    public JsonObject json() {
        return new JsonObject(text());
    }

    /** Returns how the response ended; null while it has not been read to its end. */
    public Ending ending() {
        return ending;
    }

    public boolean isComplete() {
        return ending == Ending.COMPLETE;
    }

    /** Returns the error code of an HTTP/2 stream that was reset; otherwise -1. */
    public long resetCode() {
        return resetCode;
    }

    void add(byte[] bytes) {
        body.writeBytes(bytes);
        parts++;
    }

    void addTrailers(List<Map.Entry<String, String>> lines) {
        trailers.addAll(lines);
    }

    WireResponse end(Ending how) {
        ending = how;
        return this;
    }

    WireResponse reset(long code) {
        resetCode = code;
        return end(Ending.RESET);
    }

    @Override
    public String toString() {
        return status + " " + fields + ", " + body.size() + " bytes, " + ending + (resetCode < 0 ? "" : " code " + resetCode);
    }
}
