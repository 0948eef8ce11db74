package dev.sluice.testing;

import java.net.http.HttpResponse;
import java.util.stream.Stream;

/** A way in which requests reach the rules: directly, by forward authentication, by ext_authz over HTTP. */
public enum RuleDoor {

    DIRECT, FORWARD_AUTH, EXT_AUTHZ;

    /** @param headers alternating names and values */
    public HttpResponse<String> send(HttpTestClient http, String method, String path, String... headers) {
        return switch (this) {
            case DIRECT -> http.send(method, path, null, headers);
            case EXT_AUTHZ -> http.send(method, "/v1/ext-authz" + path, null, headers);
            case FORWARD_AUTH -> http.send("GET", "/v1/forward-auth", null, Stream.concat(
                    Stream.of("X-Forwarded-Uri", path, "X-Forwarded-Method", method), Stream.of(headers))
                    .toArray(String[]::new));
        };
    }

    /** @param headers alternating names and values */
    public HttpResponse<String> get(HttpTestClient http, String path, String... headers) {
        return send(http, "GET", path, headers);
    }
}
