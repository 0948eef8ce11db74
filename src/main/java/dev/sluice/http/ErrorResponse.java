package dev.sluice.http;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.Locale;
import java.util.function.Supplier;

import jakarta.ws.rs.core.Response;

import dev.sluice.api.Decision;
import dev.sluice.api.QuotaStatus;
import dev.sluice.api.QuotaUnit;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;

/**
 * An error as Sluice answers it: {@code {"error":{"code","message","details"}}}, or RFC 9457's problem where the client asks
 * for that.
 */
public final class ErrorResponse {

    public static final String JSON = "application/json";
    public static final String PROBLEM = "application/problem+json";
    private static final CharSequence JSON_TYPE = HttpHeaders.createOptimized(JSON);
    private static final CharSequence PROBLEM_TYPE = HttpHeaders.createOptimized(PROBLEM);
    private static final CharSequence CHALLENGE = HttpHeaders.createOptimized("WWW-Authenticate");
    private static final CharSequence BEARER = HttpHeaders.createOptimized("Bearer");
    private static final String QUOTA_EXCEEDED = "https://iana.org/assignments/http-problem-types#quota-exceeded";
    private static final String EXCEEDED_CODE = "RATE_5001";
    private static final String EXCEEDED_MESSAGE = "Rate limit exceeded";
    private static final String EXCEEDED_JSON = "{\"error\":{\"code\":\"" + EXCEEDED_CODE + "\",\"message\":\""
            + EXCEEDED_MESSAGE + "\",\"details\":{";

    private final int status;
    private final String code;
    private final String message;
    private final JsonObject details;
    private final Supplier<JsonObject> problem;
    /** Whose refusal this is; null for every other error. */
    private final Decision decision;

    /**
     * @param status of HTTP
     * @param code of the contract: {@code RATE_5001}
     * @param message for people; never repeats what was sent
     * @param details of the code; null where it has none
     * @param problem what only the problem says: its type, and more; gives an empty one for nothing
     */
    public ErrorResponse(int status, String code, String message, JsonObject details, Supplier<JsonObject> problem) {
        this(status, code, message, details, problem, null);
    }

    private ErrorResponse(int status, String code, String message, JsonObject details, Supplier<JsonObject> problem,
            Decision decision) {
        this.status = status;
        this.code = code;
        this.message = message;
        this.details = details;
        this.problem = problem;
        this.decision = decision;
    }

    public int status() {
        return status;
    }

    public String code() {
        return code;
    }

    public String message() {
        return message;
    }

    public JsonObject details() {
        return decision == null ? details : details(decision);
    }

    public static ErrorResponse of(int status, String code, String message) {
        return new ErrorResponse(status, code, message, null, JsonObject::new);
    }

    /** A request that cannot be read; {@code field} is what is wrong with it. */
    public static ErrorResponse unreadable(String field, String message) {
        return new ErrorResponse(400, "RATE_4001", message, new JsonObject().put("field", field), JsonObject::new);
    }

    public static ErrorResponse unauthorized(String message) {
        return of(401, "RATE_4011", message);
    }

    public static ErrorResponse storeUnavailable() {
        return of(503, "RATE_5002", "The rate limit store is unavailable");
    }

    public static ErrorResponse notFound() {
        return of(404, "RATE_4041", "No such path");
    }

    /** The refusal of a decision. */
    public static ErrorResponse exceeded(Decision decision) {
        return new ErrorResponse(429, EXCEEDED_CODE, EXCEEDED_MESSAGE, null, () -> {
            var violated = new JsonArray();
            decision.quotas().stream().filter(QuotaStatus::denied).map(QuotaStatus::resource).distinct().forEach(violated::add);
            return new JsonObject().put("type", QUOTA_EXCEEDED).put("violated-policies", violated);
        }, decision);
    }

    private static JsonObject details(Decision decision) {
        var details = new JsonObject();
        decision.closest().ifPresent(quota -> {
            details.put("limit", amount(quota.unit(), quota.limit()))
                    .put("window_seconds", quota.window().isZero() ? null : quota.window().toSeconds())
                    .put("reset_at", RateLimitHeaders.resetAt(quota))
                    .put("retry_after", decision.retryAfter().map(ErrorResponse::roundedUp).orElse(null));
            if (quota.unit() != QuotaUnit.REQUESTS) {
                details.put("unit", name(quota.unit()));
            }
        });
        return details;
    }

    /** The same as {@link #details(Decision)} in the form of {@link #asJson()}, without the objects in between. */
    private static String exceededJson(Decision decision) {
        var json = new StringBuilder(192).append(EXCEEDED_JSON);
        decision.closest().ifPresent(quota -> {
            json.append("\"limit\":").append(amount(quota.unit(), quota.limit())).append(",\"window_seconds\":")
                    .append(quota.window().isZero() ? null : Long.toString(quota.window().toSeconds()))
                    .append(",\"reset_at\":").append(RateLimitHeaders.resetAt(quota)).append(",\"retry_after\":")
                    .append(decision.retryAfter().map(ErrorResponse::roundedUp).orElse(null));
            if (quota.unit() != QuotaUnit.REQUESTS) {
                json.append(",\"unit\":\"").append(name(quota.unit())).append('"');
            }
        });
        return json.append("}}}").toString();
    }

    /** What is counted, as JSON says it. */
    public static String name(QuotaUnit unit) {
        return unit == QuotaUnit.NANODOLLARS ? "usd" : unit.name().toLowerCase(Locale.ROOT);
    }

    /** A number of units as JSON says it: money in dollars, everything else as it is counted. */
    public static Number amount(QuotaUnit unit, long units) {
        if (unit == QuotaUnit.NANODOLLARS) {
            var dollars = BigDecimal.valueOf(units, 9).stripTrailingZeros();
            return dollars.scale() < 0 ? dollars.setScale(0) : dollars;
        }
        return units;
    }

    /** Whole seconds, rounded up, at least one. */
    public static long roundedUp(Duration wait) {
        return Math.max(1, wait.plusNanos(999_999_999).toSeconds());
    }

    /** The body, in the form that {@link #contentType} names. */
    public String body(String contentType) {
        return PROBLEM.equals(contentType) ? asProblem() : asJson();
    }

    private String asJson() {
        if (decision != null) {
            return exceededJson(decision);
        }
        var error = new JsonObject().put("code", code).put("message", message);
        return new JsonObject().put("error", details == null ? error : error.put("details", details)).encode();
    }

    private String asProblem() {
        var body = new JsonObject().put("type", "about:blank").put("title", message).put("status", status).put("code", code)
                .mergeIn(problem.get());
        return (details() == null ? body : body.mergeIn(details())).encode();
    }

    /** {@value #PROBLEM} where the client accepts that by name and not {@value #JSON}; else {@value #JSON}. */
    public static String contentType(RoutingContext request) {
        var accept = request.request().getHeader(HttpHeaders.ACCEPT);
        if (accept == null || accept.indexOf('+') < 0) {
            return JSON; // as nearly always
        }
        boolean problem = false;
        for (var accepted : request.parsedHeaders().accept()) {
            if (accepted.weight() > 0 && JSON.equalsIgnoreCase(accepted.value())) {
                return JSON;
            }
            problem |= accepted.weight() > 0 && PROBLEM.equalsIgnoreCase(accepted.value());
        }
        return problem ? PROBLEM : JSON;
    }

    /** Answers the request with this. */
    public void send(RoutingContext request) {
        var contentType = contentType(request);
        request.response().setStatusCode(status).putHeader(HttpHeaders.CONTENT_TYPE,
                contentType.equals(JSON) ? JSON_TYPE : PROBLEM_TYPE);
        if (status == 401) {
            request.response().putHeader(CHALLENGE, BEARER);
        }
        request.response().end(body(contentType));
    }

    /** What a JAX-RS resource answers the request with. */
    public Response response(RoutingContext request) {
        var contentType = contentType(request);
        var response = Response.status(status).type(contentType).entity(body(contentType));
        return (status == 401 ? response.header(CHALLENGE.toString(), BEARER.toString()) : response).build();
    }
}
