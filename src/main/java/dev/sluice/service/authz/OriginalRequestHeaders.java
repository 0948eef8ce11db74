package dev.sluice.service.authz;

import java.util.List;
import java.util.Locale;
import java.util.Objects;

import dev.sluice.http.ErrorResponse;
import dev.sluice.http.RequestAuthority;
import dev.sluice.service.edge.RequestTargets;
import io.vertx.core.MultiMap;

/** Sets of header fields by which proxies describe the request that they ask about. The first set that is present counts. */
enum OriginalRequestHeaders {

    /** Traefik, Caddy, APISIX. */
    FORWARDED("X-Forwarded-Method", List.of("X-Forwarded-Uri"), "X-Forwarded-Host"),
    /** nginx, ingress-nginx, HAProxy. */
    ORIGINAL("X-Original-Method", List.of("X-Original-URI", "X-Original-URL"), "Host");

    /** Host of a request about which the proxy and the client say different things. */
    private static final String UNKNOWN = "";
    /** As the maximum length of a request line, {@code quarkus.http.limits.max-initial-line-length}. */
    private static final int MAX_TARGET_LENGTH = 16_384;
    private static final int MAX_METHOD_LENGTH = 64;
    private static final String TOKEN_MARKS = "!#$%&'*+-.^_`|~";
    private static final ErrorResponse MISSING = ErrorResponse.badRequest(FORWARDED.targets.get(0),
            "The proxy must send X-Forwarded-Uri (and X-Forwarded-Method), or X-Original-URI or X-Original-URL (and"
                    + " X-Original-Method)");

    /**
     * Original request line, or the error in it.
     *
     * @param method method; GET if none is sent
     * @param authority host, with or without a port; null if it is not known
     * @param path path, as it was sent
     * @param query query; null if there is none
     * @param error the error; null if there is none
     */
    record Target(String method, String authority, String path, String query, ErrorResponse error) {

        private static Target of(ErrorResponse error) {
            return new Target(null, null, null, null, error);
        }

        private Target withAuthority(String other) {
            return new Target(method, other, path, query, error);
        }

        private boolean isSamePath(Target other) {
            return withAuthority(null).equals(other.withAuthority(null));
        }
    }

    private final String method;
    private final List<String> targets;
    private final String host;

    /** @param host field that names the host, unless a target is absolute */
    OriginalRequestHeaders(String method, List<String> targets, String host) {
        this.host = host;
        this.method = method;
        this.targets = targets;
    }

    /**
     * Reads the request line.
     *
     * @param headers headers of the request to Sluice
     * @param only the set that counts; null for the first that is present
     * @param required whether a target is required
     */
    static Target read(MultiMap headers, OriginalRequestHeaders only, boolean required) {
        if (only != null) {
            return only.target(headers, required);
        }
        for (var set : values()) {
            if (set.isPresent(headers)) {
                return set.target(headers, required);
            }
        }
        return required ? Target.of(MISSING) : new Target("GET", null, "/", null, null);
    }

    /**
     * Reads a request line that a protocol has in fields of its own.
     *
     * @param method method; empty for GET
     * @param target path with query, or an absolute URL
     */
    static Target read(String method, String target) {
        var verb = method.isEmpty() ? "GET" : method;
        return isMethod(verb)
                ? target(verb, "path", target)
                : Target.of(ErrorResponse.badRequest("method", "method must be an HTTP method"));
    }

    private boolean isPresent(MultiMap headers) {
        if (headers.contains(method)) {
            return true;
        }
        for (var name : targets) {
            if (headers.contains(name)) {
                return true;
            }
        }
        return false;
    }

    private Target target(MultiMap headers, boolean required) {
        var verb = headers.contains(method) ? headers.getAll(method) : List.of("GET");
        if (verb.size() > 1) {
            return repeated(method);
        }
        if (!isMethod(verb.get(0))) {
            return Target.of(ErrorResponse.badRequest(method, method + " must be an HTTP method"));
        }
        Target found = null;
        for (var name : targets) {
            var values = headers.getAll(name);
            if (values.size() > 1) {
                return repeated(name);
            }
            if (!values.isEmpty()) {
                var target = target(verb.get(0), name, values.get(0));
                if (target.error() != null) {
                    return target;
                }
                if (found != null && !found.isSamePath(target)) { // the proxy sends one of them, the client the other
                    return Target.of(ErrorResponse.badRequest(name,
                            String.join(" and ", targets) + " name different targets"));
                }
                found = found == null || Objects.equals(found.authority(), target.authority())
                        ? target
                        : target.withAuthority(UNKNOWN);
            }
        }
        if (found != null) {
            var hosts = headers.getAll(host);
            return found.authority() != null || hosts.isEmpty()
                    ? found
                    : found.withAuthority(hosts.size() > 1 ? UNKNOWN : hosts.get(0));
        }
        return required
                ? Target.of(ErrorResponse.badRequest(targets.get(0), String.join(" or ", targets) + " is missing"))
                : new Target(verb.get(0), null, "/", null, null);
    }

    private static Target repeated(String name) {
        return Target.of(ErrorResponse.badRequest(name, name + " is given more than once"));
    }

    private static Target target(String verb, String name, String value) {
        if (value.length() > MAX_TARGET_LENGTH) {
            return Target.of(ErrorResponse.badRequest(name,
                    name + " must have at most " + MAX_TARGET_LENGTH + " characters"));
        }
        var error = RequestTargets.error(value);
        if (error != null) {
            return Target.of(ErrorResponse.badRequest(name, error.message() + " (" + name + ')'));
        }
        var target = withoutAuthority(value);
        if (!target.startsWith("/") && !target.equals("*")) {
            return Target.of(ErrorResponse.badRequest(name, name + " must be a path that begins with a slash, or a URL"));
        }
        int query = target.indexOf('?');
        return query < 0
                ? new Target(verb, RequestAuthority.ofTarget(value), target, null, null)
                : new Target(verb, RequestAuthority.ofTarget(value), target.substring(0, query),
                        target.substring(query + 1), null);
    }

    /** Returns the path and query of an http(s) URL; other texts unchanged. */
    private static String withoutAuthority(String value) {
        int scheme = value.startsWith("/") ? -1 : value.indexOf("://");
        if (scheme < 0 || !List.of("http", "https").contains(value.substring(0, scheme).toLowerCase(Locale.ROOT))) {
            return value;
        }
        for (int i = scheme + "://".length(); i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '/' || c == '\\' || c == '?') {
                return c == '/' ? value.substring(i) : '/' + value.substring(i);
            }
        }
        return "/";
    }

    /** Returns whether a text is a token (RFC 9110, section 5.6.2). */
    private static boolean isMethod(String text) {
        if (text.isEmpty() || text.length() > MAX_METHOD_LENGTH) {
            return false;
        }
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (!(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9') && TOKEN_MARKS.indexOf(c) < 0) {
                return false;
            }
        }
        return true;
    }
}
