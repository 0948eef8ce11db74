package dev.sluice.service.api;

import java.util.Map;

import jakarta.ws.rs.core.Application;

import org.eclipse.microprofile.openapi.annotations.Components;
import org.eclipse.microprofile.openapi.annotations.OpenAPIDefinition;
import org.eclipse.microprofile.openapi.annotations.enums.SchemaType;
import org.eclipse.microprofile.openapi.annotations.enums.SecuritySchemeType;
import org.eclipse.microprofile.openapi.annotations.headers.Header;
import org.eclipse.microprofile.openapi.annotations.info.Info;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.security.SecurityScheme;

/**
 * OpenAPI definitions shared by all endpoints: security schemes, headers, error responses and schemas. Operations are described
 * at their resources.
 */
@OpenAPIDefinition(info = @Info(title = "Sluice", version = "v1", description = "Distributed rate limiting for HTTP APIs and LLM calls"), components = @Components(securitySchemes = {
        @SecurityScheme(securitySchemeName = OpenApiDefinition.ADMIN_TOKEN, type = SecuritySchemeType.HTTP, scheme = "bearer", description = "Admin token (RATE_LIMIT_ADMIN_TOKEN)"),
        @SecurityScheme(securitySchemeName = OpenApiDefinition.API_TOKEN, type = SecuritySchemeType.HTTP, scheme = "bearer", description = "API token (RATE_LIMIT_API_TOKEN), required if it is set, and beside an upstream unless rate-limit.check.open is true; the admin token is accepted too")}, headers = {
                @Header(name = "X-RateLimit-Limit", description = "Limit in units per window of the quota closest to exhaustion", schema = @Schema(type = SchemaType.INTEGER)),
                @Header(name = "X-RateLimit-Remaining", description = "Units remaining in the window", schema = @Schema(type = SchemaType.INTEGER)),
                @Header(name = "X-RateLimit-Reset", description = "Time at which quota becomes available, in Unix seconds, rounded up", schema = @Schema(type = SchemaType.INTEGER)),
                @Header(name = "Retry-After", description = "Seconds until a retry can succeed, rounded up, if no other request consumes the quota", schema = @Schema(type = SchemaType.INTEGER))}, responses = {
                        @APIResponse(name = OpenApiDefinition.BAD_REQUEST, description = "RATE_4001: invalid request; details.field names the field. Without a token, also windows that are too long in total (rate-limit.check.max-total-window). RATE_4002: the cost exceeds the limit.", content = @Content(mediaType = "application/json", schema = @Schema(implementation = OpenApiDefinition.ErrorDocument.class), example = "{\"error\":{\"code\":\"RATE_4001\",\"message\":\"limit must be a whole number from 1 to 1000000000\",\"details\":{\"field\":\"limit\"}}}")),
                        @APIResponse(name = OpenApiDefinition.UNAUTHORIZED, description = "RATE_4011: invalid token or API key; the attempt is counted against the client address", content = @Content(mediaType = "application/json", schema = @Schema(implementation = OpenApiDefinition.ErrorDocument.class), example = "{\"error\":{\"code\":\"RATE_4011\",\"message\":\"Invalid token or API key\"}}")),
                        @APIResponse(name = OpenApiDefinition.FORBIDDEN, description = "RATE_4031: the admin token is missing, or the API token for a reserved identifier, or requests without a token are not served (rate-limit.check.open), or the peer is not in rate-limit.trusted-proxies", content = @Content(mediaType = "application/json", schema = @Schema(implementation = OpenApiDefinition.ErrorDocument.class), example = "{\"error\":{\"code\":\"RATE_4031\",\"message\":\"The admin endpoints are disabled: set RATE_LIMIT_ADMIN_TOKEN to enable them\"}}")),
                        @APIResponse(name = OpenApiDefinition.TOO_MANY_REQUESTS, description = "RATE_5001: rate limit exceeded; nothing was consumed. RATE_5003: too many requests in flight. Without a token, this includes the rate of the client address (rate-limit.check.rate)", headers = {
                                @Header(ref = "X-RateLimit-Limit", name = "X-RateLimit-Limit"),
                                @Header(ref = "X-RateLimit-Remaining", name = "X-RateLimit-Remaining"),
                                @Header(ref = "X-RateLimit-Reset", name = "X-RateLimit-Reset"),
                                @Header(ref = "Retry-After", name = "Retry-After")}, content = {
                                        @Content(mediaType = "application/json", schema = @Schema(implementation = OpenApiDefinition.ErrorDocument.class), example = "{\"error\":{\"code\":\"RATE_5001\",\"message\":\"Rate limit exceeded\",\"details\":{\"limit\":10,\"window_seconds\":60,\"reset_at\":1701234567,\"retry_after\":45}}}"),
                                        @Content(mediaType = "application/problem+json", schema = @Schema(type = SchemaType.OBJECT), example = "{\"type\":\"https://iana.org/assignments/http-problem-types#quota-exceeded\",\"title\":\"Rate limit exceeded\",\"status\":429,\"code\":\"RATE_5001\",\"violated-policies\":[\"custom_operation\"],\"limit\":10,\"window_seconds\":60,\"reset_at\":1701234567,\"retry_after\":45}")}),
                        @APIResponse(name = OpenApiDefinition.UNAVAILABLE, description = "RATE_5002: Redis is unavailable and the fallback is closed, or the admin operation requires Redis", content = @Content(mediaType = "application/json", schema = @Schema(implementation = OpenApiDefinition.ErrorDocument.class), example = "{\"error\":{\"code\":\"RATE_5002\",\"message\":\"The rate limit store is unavailable\"}}"))}))
public class OpenApiDefinition extends Application {

    public static final String ADMIN_TOKEN = "admin-token";
    public static final String API_TOKEN = "api-token";
    public static final String BAD_REQUEST = "BadRequest";
    public static final String UNAUTHORIZED = "Unauthorized";
    public static final String FORBIDDEN = "Forbidden";
    public static final String TOO_MANY_REQUESTS = "TooManyRequests";
    public static final String UNAVAILABLE = "StoreUnavailable";

    @Schema(name = "Error")
    record ErrorDocument(ErrorBody error) {
    }

    @Schema(name = "ErrorBody")
    record ErrorBody(@Schema(examples = "RATE_5001") String code, String message, Map<String, Object> details) {
    }

    @Schema(name = "Decision", description = "Decision, with the quota closest to exhaustion; limit, remaining, window_seconds and reset_at are null if the rate is unlimited")
    record DecisionBody(boolean allowed, Long limit, Long remaining, Long window_seconds,
            @Schema(description = "Time at which quota becomes available, in Unix seconds, rounded up") Long reset_at,
            @Schema(description = "Seconds until a retry can succeed, rounded up; 0 if allowed, null if a retry can never succeed") Long retry_after) {
    }

    @Schema(name = "LlmDecision", description = "Decision, with the quota closest to exhaustion")
    record LlmDecisionBody(boolean allowed, @Schema(description = "Limit; in US dollars for a budget") Double limit,
            Double remaining,
            Long window_seconds, Long reset_at, Long retry_after,
            @Schema(description = "tokens or usd; absent if requests are counted") String unit,
            @Schema(description = "Reservation token, present if tokens or dollars were reserved; send it with the usage report") String reservation) {
    }
}
