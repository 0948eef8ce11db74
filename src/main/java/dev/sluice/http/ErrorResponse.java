package dev.sluice.http;

import java.nio.charset.StandardCharsets;
import java.util.function.Supplier;

import jakarta.ws.rs.core.Response;

import dev.sluice.api.Decision;
import dev.sluice.api.QuotaUnit;
import dev.sluice.identity.chain.LevelResources;
import dev.sluice.policy.cost.InvalidCostException;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.Json;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;

/**
 * Error response: {@code {"error":{"code","message","details"}}}, or a problem of RFC 9457 if the client prefers it.
 * Immutable.
 */
public final class ErrorResponse {

    /** Media type of the default form. */
    public static final String JSON = "application/json";
    /** Media type of the problem form. */
    public static final String PROBLEM_JSON = "application/problem+json";
    private static final CharSequence JSON_TYPE = HttpHeaders.createOptimized(JSON);
    private static final CharSequence PROBLEM_JSON_TYPE = HttpHeaders.createOptimized(PROBLEM_JSON);
    private static final CharSequence WWW_AUTHENTICATE = HttpHeaders.createOptimized("WWW-Authenticate");
    private static final CharSequence BEARER = HttpHeaders.createOptimized("Bearer");
    private static final String QUOTA_EXCEEDED = "https://iana.org/assignments/http-problem-types#quota-exceeded";
    private static final String EXCEEDED_CODE = "RATE_5001";
    private static final String EXCEEDED_MESSAGE = "Rate limit exceeded";
    private static final String EXCEEDED_JSON = "{\"error\":{\"code\":\"" + EXCEEDED_CODE + "\",\"message\":\"";
    private static final String IN_FLIGHT_CODE = "RATE_5003";
    private static final String IN_FLIGHT_MESSAGE = "Too many requests in flight";
    private static final String IN_FLIGHT_JSON = "{\"error\":{\"code\":\"" + IN_FLIGHT_CODE + "\",\"message\":\"";

    private final int status;
    private final String code;
    private final String message;
    private final JsonObject details;
    private final Supplier<JsonObject> problemMembers;
    /** The denial that this response reports; null for other errors. */
    private final Decision decision;

    /**
     * @param status HTTP status code
     * @param code error code, for example {@code RATE_5001}
     * @param message human-readable message; must not repeat content of the request
     * @param details details of the error; null if there are none
     * @param problemMembers supplies members of the problem form only, such as its type; may be empty
     */
    public ErrorResponse(int status, String code, String message, JsonObject details, Supplier<JsonObject> problemMembers) {
        this(status, code, message, details, problemMembers, null);
    }

    private ErrorResponse(int status, String code, String message, JsonObject details, Supplier<JsonObject> problemMembers,
            Decision decision) {
        this.status = status;
        this.code = code;
        this.message = message;
        this.details = details;
        this.problemMembers = problemMembers;
        this.decision = decision;
    }

    /** Returns the HTTP status code. */
    public int status() {
        return status;
    }

    /** Returns the error code, for example {@code RATE_5001}. */
    public String code() {
        return code;
    }

    /** Returns the human-readable message. */
    public String message() {
        return message;
    }

    /** Returns the details; null if there are none. */
    public JsonObject details() {
        return decision == null ? details : details(decision);
    }

    /** Returns the same error with another HTTP status code. */
    public ErrorResponse withStatus(int other) {
        return new ErrorResponse(other, code, message, details, problemMembers, decision);
    }

    /** Creates an error without details. */
    public static ErrorResponse of(int status, String code, String message) {
        return new ErrorResponse(status, code, message, null, JsonObject::new);
    }

    /**
     * Creates a 400 response.
     *
     * @param field name of the invalid field, parameter or header
     * @param message human-readable message; must not repeat the value
     */
    public static ErrorResponse badRequest(String field, String message) {
        return new ErrorResponse(400, "RATE_4001", message, new JsonObject().put("field", field), JsonObject::new);
    }

    /** Creates a 401 response. */
    public static ErrorResponse unauthorized(String message) {
        return of(401, "RATE_4011", message);
    }

    /** Creates the 503 response for requests that cannot be decided because Redis is unavailable. */
    public static ErrorResponse storeUnavailable() {
        return of(503, "RATE_5002", "The rate limit store is unavailable");
    }

    /** Creates the 503 response for requests with a JWT whose keys cannot be fetched. */
    public static ErrorResponse keysUnavailable() {
        return of(503, "RATE_5002", "The keys that verify JWTs cannot be fetched; try again later");
    }

    /** Creates the 404 response for an unknown path. */
    public static ErrorResponse notFound() {
        return of(404, "RATE_4041", "No such path");
    }

    /** Creates the 429 response for a denial. */
    public static ErrorResponse rateLimitExceeded(Decision decision) {
        return rateLimitExceeded(decision, isInFlight(decision) ? IN_FLIGHT_MESSAGE : EXCEEDED_MESSAGE);
    }

    /** Returns whether a request was denied because too many others are in flight: waiting for a window does not help. */
    public static boolean isInFlight(Decision decision) {
        return decision.mostRestrictive().filter(quota -> quota.unit() == QuotaUnit.CONCURRENT_REQUESTS).isPresent();
    }

    /**
     * Creates the 429 response for a denial, with a message of its own.
     *
     * @param message human-readable message, without characters that JSON escapes
     */
    public static ErrorResponse rateLimitExceeded(Decision decision, String message) {
        return new ErrorResponse(429, isInFlight(decision) ? IN_FLIGHT_CODE : EXCEEDED_CODE, message, null, () -> {
            var violated = new JsonArray();
            var names = PolicyNames.of(decision.quotas());
            for (int i = 0; i < names.size(); i++) {
                if (decision.quotas().get(i).denied() && !decision.quotas().get(i).shadow()) {
                    violated.add(names.get(i));
                }
            }
            return new JsonObject().put("type", QUOTA_EXCEEDED).put("violated-policies", violated);
        }, decision);
    }

    /** Returns whether a decision concerns more than the rule of a caller: levels with limits of their own, or other identifiers. */
    private static boolean hasLevels(Decision decision) {
        var caller = decision.quotas().get(0).identifier();
        for (var quota : decision.quotas()) {
            if (!quota.identifier().equals(caller) || LevelResources.contains(quota.resource())) {
                return true;
            }
        }
        return caller.startsWith("key:");
    }

    /** Returns {@code identifier} and {@code resource} of the window that denies a request; empty if only a caller's rule applies. */
    public static JsonObject level(Decision decision) {
        var quota = decision.mostRestrictive();
        return quota.isEmpty() || !hasLevels(decision)
                ? new JsonObject()
                : new JsonObject().put("identifier", quota.get().identifier()).put("resource", quota.get().resource());
    }

    private static JsonObject details(Decision decision) {
        var details = new JsonObject();
        decision.mostRestrictive().ifPresent(quota -> {
            details.put("limit", quota.unit().jsonAmount(quota.limit()));
            if (quota.unit() != QuotaUnit.CONCURRENT_REQUESTS) {
                details.put("window_seconds", quota.window().isZero() ? null : quota.window().toSeconds())
                        .put("reset_at", RateLimitHeaders.resetEpochSeconds(quota));
            }
            details.put("retry_after", decision.retryAfter().map(RateLimitHeaders::ceilSeconds).orElse(null));
            details.mergeIn(level(decision));
            if (quota.unit() != QuotaUnit.REQUESTS) {
                details.put("unit", quota.unit().jsonName());
            }
        });
        return details;
    }

    /** Encodes a denial like {@link #toJson()} does, with {@link #details(Decision)}, but without intermediate objects. */
    private String exceededJson() {
        var json = new StringBuilder(192).append(code.equals(IN_FLIGHT_CODE) ? IN_FLIGHT_JSON : EXCEEDED_JSON).append(message)
                .append("\",\"details\":{");
        decision.mostRestrictive().ifPresent(quota -> {
            json.append("\"limit\":").append(quota.unit().jsonAmount(quota.limit()));
            if (quota.unit() != QuotaUnit.CONCURRENT_REQUESTS) {
                json.append(",\"window_seconds\":")
                        .append(quota.window().isZero() ? null : Long.toString(quota.window().toSeconds()))
                        .append(",\"reset_at\":").append(RateLimitHeaders.resetEpochSeconds(quota));
            }
            json.append(",\"retry_after\":")
                    .append(decision.retryAfter().map(RateLimitHeaders::ceilSeconds).orElse(null));
            if (hasLevels(decision)) {
                json.append(",\"identifier\":").append(Json.encode(quota.identifier())).append(",\"resource\":")
                        .append(Json.encode(quota.resource()));
            }
            if (quota.unit() != QuotaUnit.REQUESTS) {
                json.append(",\"unit\":\"").append(quota.unit().jsonName()).append('"');
            }
        });
        return json.append("}}}").toString();
    }

    /**
     * Encodes the body.
     *
     * @param contentType {@value #JSON} or {@value #PROBLEM_JSON}, as returned by {@link #contentType}
     */
    public String body(String contentType) {
        return PROBLEM_JSON.equals(contentType) ? toProblem() : toJson();
    }

    private String toJson() {
        if (decision != null) {
            return exceededJson();
        }
        var error = new JsonObject().put("code", code).put("message", message);
        return new JsonObject().put("error", details == null ? error : error.put("details", details)).encode();
    }

    private String toProblem() {
        var body = new JsonObject().put("type", "about:blank").put("title", message).put("status", status).put("code", code)
                .mergeIn(problemMembers.get());
        return (details() == null ? body : body.mergeIn(details())).encode();
    }

    /**
     * Selects the media type for a request: {@value #PROBLEM_JSON} if its {@code Accept} names that type and not {@value #JSON},
     * otherwise {@value #JSON}.
     */
    public static String contentType(RoutingContext request) {
        var accept = request.request().getHeader(HttpHeaders.ACCEPT);
        if (accept == null || accept.indexOf('+') < 0) {
            return JSON; // fast path: no type with a structured suffix is accepted
        }
        boolean problem = false;
        for (var accepted : request.parsedHeaders().accept()) {
            if (accepted.weight() > 0 && JSON.equalsIgnoreCase(accepted.value())) {
                return JSON;
            }
            problem |= accepted.weight() > 0 && PROBLEM_JSON.equalsIgnoreCase(accepted.value());
        }
        return problem ? PROBLEM_JSON : JSON;
    }

    /** Returns the error of a request that names a cost which cannot be charged: 400. */
    public static ErrorResponse invalidCost(InvalidCostException invalid) {
        return invalid.isAboveLimit() ? costAboveLimit(invalid.field()) : badRequest(invalid.field(), invalid.getMessage());
    }

    /**
     * Returns the error of a cost that is above the limit: 400.
     *
     * @param field name of the field that has the cost
     */
    public static ErrorResponse costAboveLimit(String field) {
        return new ErrorResponse(400, "RATE_4002", "cost exceeds the limit: the request can never be allowed",
                new JsonObject().put("field", field), JsonObject::new);
    }

    /** Sends this error as the response of a request. */
    public void send(RoutingContext request) {
        var contentType = contentType(request);
        request.response().setStatusCode(status);
        putFields(request.response().headers(), contentType);
        send(request, body(contentType));
    }

    /** Writes the header fields of this error: {@code Content-Type}, and the challenge of a 401. */
    public void putFields(MultiMap headers, String contentType) {
        headers.set(HttpHeaders.CONTENT_TYPE, contentType.equals(JSON) ? JSON_TYPE : PROBLEM_JSON_TYPE);
        if (status == 401) {
            headers.set(WWW_AUTHENTICATE, BEARER);
        }
    }

    /** Ends a response with a body; a response to HEAD gets its length only (RFC 9110, section 9.3.2). */
    public static void send(RoutingContext request, String body) {
        if (request.request().method() == HttpMethod.HEAD) {
            var length = body.getBytes(StandardCharsets.UTF_8).length;
            request.response().putHeader(HttpHeaders.CONTENT_LENGTH, Integer.toString(length)).end();
        } else {
            request.response().end(body);
        }
    }

    /** Converts this error to a JAX-RS response for a request. */
    public Response toResponse(RoutingContext request) {
        var contentType = contentType(request);
        var response = Response.status(status).type(contentType).entity(body(contentType));
        return (status == 401 ? response.header(WWW_AUTHENTICATE.toString(), BEARER.toString()) : response).build();
    }
}
