package dev.sluice.testing.llm;

import io.vertx.core.MultiMap;
import io.vertx.core.json.JsonObject;

/**
 * Request received by a stub.
 *
 * @param uri path and query
 * @param headers by name, case-insensitive
 */
public record RecordedRequest(String method, String uri, MultiMap headers, String body) {

    public String path() {
        int query = uri.indexOf('?');
        return query < 0 ? uri : uri.substring(0, query);
    }

    /** Returns the first value of a header; null if it is missing. */
    public String header(String name) {
        return headers.get(name);
    }

    public JsonObject json() {
        return new JsonObject(body);
    }
}
