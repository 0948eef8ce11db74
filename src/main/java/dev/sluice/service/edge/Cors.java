package dev.sluice.service.edge;

import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import dev.sluice.config.ConfigProblems;
import dev.sluice.http.RateLimitHeaders;
import dev.sluice.service.config.ServiceConfig;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;

/**
 * Cross-origin resource sharing (CORS) of the service's own responses, by {@code rate-limit.cors.origins}; see
 * <a href="https://fetch.spec.whatwg.org/#http-cors-protocol">Fetch, CORS protocol</a>. Thread-safe.
 */
@ApplicationScoped
public class Cors {

    /** After {@code RequestFramingGuard}, before the endpoints. */
    private static final int ORDER = -950;
    private static final String ANY = "*";
    private static final String ORIGINS = "rate-limit.cors.origins";
    private static final String METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
    /** Time in seconds for which a browser may cache the response to a preflight; the maximum of Chromium. */
    private static final String MAX_AGE = "7200";
    private static final List<String> EXPOSED = List.of(RateLimitHeaders.LIMIT, RateLimitHeaders.REMAINING,
            RateLimitHeaders.RESET, RateLimitHeaders.MODE, RateLimitHeaders.DRY_RUN, RateLimitHeaders.RATE_LIMIT,
            RateLimitHeaders.POLICY,
            RateLimitHeaders.RETRY_AFTER);
    private static final CharSequence ORIGIN_NAME = HttpHeaders.createOptimized("Origin");
    private static final CharSequence EXPOSED_NAMES = HttpHeaders.createOptimized(String.join(", ", EXPOSED));
    /** Fields of responses, without those of preflights. */
    private static final List<CharSequence> FIELDS = List.of(HttpHeaders.ACCESS_CONTROL_ALLOW_ORIGIN,
            HttpHeaders.ACCESS_CONTROL_ALLOW_CREDENTIALS, HttpHeaders.ACCESS_CONTROL_EXPOSE_HEADERS);
    private static final List<CharSequence> PREFLIGHT_FIELDS = List.of(HttpHeaders.ACCESS_CONTROL_ALLOW_METHODS,
            HttpHeaders.ACCESS_CONTROL_ALLOW_HEADERS, HttpHeaders.ACCESS_CONTROL_MAX_AGE);
    private static final Pattern ORIGIN = Pattern
            .compile("[a-z][a-z0-9+.-]*://(\\*\\.)?([a-z0-9._-]+|\\[[0-9a-f:.]+])(:[0-9]{1,5})?");

    private final List<String> origins;
    private final boolean anyOrigin;
    private final boolean credentials;
    private final ReservedPaths reserved;

    Cors(ServiceConfig settings, ReservedPaths reserved) {
        this.reserved = reserved;
        this.origins = settings.cors().origins().orElse(List.of()).stream()
                .map(origin -> origin.strip().toLowerCase(Locale.ROOT)).filter(origin -> !origin.isEmpty()).toList();
        this.anyOrigin = origins.contains(ANY);
        this.credentials = settings.cors().credentials();
    }

    /** Answers preflights to Sluice's own endpoints if any origin is configured. */
    void register(@Observes Router router) {
        if (isEnabled()) {
            router.route().order(ORDER).handler(context -> {
                if (isPreflight(context.request()) && !ReservedPaths.describesOther(context.request().path())
                        && reserved.contains(context.normalizedPath())) {
                    answerPreflight(context);
                } else {
                    context.next();
                }
            });
        }
    }

    void validate(@Observes ConfigProblems problems) {
        for (var origin : origins) {
            if (!origin.equals(ANY) && !ORIGIN.matcher(origin).matches()) {
                problems.add(ORIGINS, origin, "*, an origin such as https://app.example.com or http://localhost:3000"
                        + " (without a path), or https://*.example.com");
            }
        }
        if (anyOrigin && credentials) {
            problems.add("rate-limit.cors.credentials", "true",
                    "false with rate-limit.cors.origins=*: every site could act as its visitors; list the origins");
        }
    }

    /** Returns whether any origin is configured. */
    public boolean isEnabled() {
        return !origins.isEmpty();
    }

    /** Returns whether a request is a preflight. */
    public static boolean isPreflight(HttpServerRequest request) {
        return request.method() == HttpMethod.OPTIONS && isPreflight("OPTIONS", request.headers());
    }

    /**
     * Returns whether a request is a preflight.
     *
     * @param method method, in upper case
     */
    public static boolean isPreflight(String method, MultiMap headers) {
        return method.equals("OPTIONS") && headers.contains(HttpHeaders.ORIGIN)
                && headers.contains(HttpHeaders.ACCESS_CONTROL_REQUEST_METHOD);
    }

    /** Adds the fields to a response of the service itself if the origin of the request is configured. */
    public void addTo(HttpServerRequest request) {
        if (isEnabled()) {
            addTo(request.headers(), request.response().headers());
        }
    }

    /**
     * Adds the fields to a response of the service itself if the origin of the request is configured.
     *
     * @param request headers of the request
     * @param headers headers of the response
     */
    public void addTo(MultiMap request, MultiMap headers) {
        var origin = isEnabled() ? request.get(HttpHeaders.ORIGIN) : null;
        if (origin != null && isAllowed(origin)) {
            allowOrigin(headers, origin);
            headers.set(HttpHeaders.ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_NAMES);
        }
    }

    private void allowOrigin(MultiMap headers, String origin) {
        headers.set(HttpHeaders.ACCESS_CONTROL_ALLOW_ORIGIN, anyOrigin ? ANY : origin);
        headers.set(HttpHeaders.VARY, ORIGIN_NAME);
        if (credentials) {
            headers.set(HttpHeaders.ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
        }
    }

    private boolean isAllowed(String origin) {
        if (anyOrigin) {
            return true;
        }
        var folded = origin.toLowerCase(Locale.ROOT);
        for (var allowed : origins) {
            int wildcard = allowed.indexOf("://*.");
            if (wildcard < 0 ? folded.equals(allowed) : isSubdomain(folded, allowed, wildcard + "://".length())) {
                return true;
            }
        }
        return false;
    }

    /** @param wildcard index of the asterisk, which stands for one or more labels of a host name */
    private static boolean isSubdomain(String origin, String allowed, int wildcard) {
        var suffix = allowed.substring(wildcard + 1);
        int end = origin.length() - suffix.length();
        if (end <= wildcard || !origin.endsWith(suffix) || !origin.startsWith(allowed.substring(0, wildcard))) {
            return false;
        }
        for (int i = wildcard; i < end; i++) {
            char c = origin.charAt(i);
            if (!(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.')) {
                return false;
            }
        }
        return true;
    }

    /** Answers a preflight with 204, with permissions only if its origin is configured. */
    public void answerPreflight(RoutingContext context) {
        var request = context.request();
        var headers = context.response().headers();
        removeFrom(headers);
        var origin = request.getHeader(HttpHeaders.ORIGIN);
        if (isEnabled() && isAllowed(origin)) {
            allowOrigin(headers, origin);
            headers.set(HttpHeaders.ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            headers.set(HttpHeaders.ACCESS_CONTROL_MAX_AGE, MAX_AGE);
            var requested = String.join(", ", request.headers().getAll(HttpHeaders.ACCESS_CONTROL_REQUEST_HEADERS));
            if (!requested.isBlank()) {
                headers.set(HttpHeaders.ACCESS_CONTROL_ALLOW_HEADERS, requested);
            }
        }
        if (!request.isEnded()) {
            request.resume(); // discard the body
        }
        context.response().setStatusCode(204).end();
    }

    /**
     * Prepares the headers of a response that is forwarded: removes the fields that {@link #addTo} has added to the response,
     * so that the upstream's are not doubled, and exposes the rate limit headers to the origins that the upstream allows.
     *
     * @param upstream headers of the upstream's response; modified
     */
    public void merge(HttpServerRequest request, MultiMap upstream) {
        if (!isEnabled()) {
            return;
        }
        removeFrom(request.response().headers());
        if (!upstream.contains(HttpHeaders.ACCESS_CONTROL_ALLOW_ORIGIN)) {
            return;
        }
        var exposed = new StringBuilder(String.join(", ", upstream.getAll(HttpHeaders.ACCESS_CONTROL_EXPOSE_HEADERS)));
        var known = List.of(exposed.toString().toLowerCase(Locale.ROOT).split("[\\s,]+"));
        // With credentials, an asterisk is an ordinary name.
        boolean all = known.contains(ANY) && !upstream.contains(HttpHeaders.ACCESS_CONTROL_ALLOW_CREDENTIALS);
        for (var name : EXPOSED) {
            if (!all && !known.contains(name.toLowerCase(Locale.ROOT))) {
                exposed.append(exposed.isEmpty() ? "" : ", ").append(name);
            }
        }
        upstream.set(HttpHeaders.ACCESS_CONTROL_EXPOSE_HEADERS, exposed.toString());
    }

    /** Removes the fields that {@link #addTo} adds from the headers of a response. */
    private static void removeFrom(MultiMap headers) {
        if (headers.contains(HttpHeaders.ACCESS_CONTROL_ALLOW_ORIGIN)) {
            FIELDS.forEach(headers::remove);
            headers.remove(HttpHeaders.VARY);
        }
    }

    /** Removes the CORS fields of a provider: who may read a response of the LLM gateway is the service's decision. */
    public static void removeAll(MultiMap headers) {
        FIELDS.forEach(headers::remove);
        PREFLIGHT_FIELDS.forEach(headers::remove);
    }
}
