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
        @SecurityScheme(securitySchemeName = OpenApiDefinition.API_TOKEN, type = SecuritySchemeType.HTTP, scheme = "bearer", description = "API token (RATE_LIMIT_API_TOKEN), required if it is set; the admin token is accepted too")}, headers = {
                @Header(name = "X-RateLimit-Limit", description = "Limit in units per window of the quota closest to exhaustion", schema = @Schema(type = SchemaType.INTEGER)),
                @Header(name = "X-RateLimit-Remaining", description = "Units remaining in the window", schema = @Schema(type = SchemaType.INTEGER)),
                @Header(name = "X-RateLimit-Reset", description = "Time at which quota becomes available, in Unix seconds, rounded up", schema = @Schema(type = SchemaType.INTEGER)),
                @Header(name = "Retry-After", description = "Seconds until a retry can succeed, rounded up, if no other request consumes the quota", schema = @Schema(type = SchemaType.INTEGER))}, responses = {
                        @APIResponse(name = OpenApiDefinition.BAD_REQUEST, description = "RATE_4001: invalid request; details.field names the field. RATE_4002: the cost exceeds the limit.", content = @Content(mediaType = "application/json", schema = @Schema(implementation = OpenApiDefinition.ErrorDocument.class), example = "{\"error\":{\"code\":\"RATE_4001\",\"message\":\"limit must be a whole number from 1 to 1000000000\",\"details\":{\"field\":\"limit\"}}}")),
                        @APIResponse(name = OpenApiDefinition.UNAUTHORIZED, description = "RATE_4011: invalid token or API key; the attempt is counted against the client address", content = @Content(mediaType = "application/json", schema = @Schema(implementation = OpenApiDefinition.ErrorDocument.class), example = "{\"error\":{\"code\":\"RATE_4011\",\"message\":\"Invalid token or API key\"}}")),
                        @APIResponse(name = OpenApiDefinition.FORBIDDEN, description = "RATE_4031: the admin token is missing, or the API token for a reserved identifier", content = @Content(mediaType = "application/json", schema = @Schema(implementation = OpenApiDefinition.ErrorDocument.class), example = "{\"error\":{\"code\":\"RATE_4031\",\"message\":\"The admin endpoints are disabled: set RATE_LIMIT_ADMIN_TOKEN to enable them\"}}")),
                        @APIResponse(name = OpenApiDefinition.TOO_MANY_REQUESTS, description = "RATE_5001: rate limit exceeded; nothing was consumed", headers = {
                                @Header(ref = "X-RateLimit-Limit", name = "X-RateLimit-Limit"),
                                @Header(ref = "X-RateLimit-Remaining", name = "X-RateLimit-Remaining"),
                                @Header(ref = "X-RateLimit-Reset", name = "X-RateLimit-Reset"),
                                @Header(ref = "Retry-After", name = "Retry-After")}, content = {
                                        @Content(mediaType = "application/json", schema = @Schema(implementation = OpenApiDefinition.ErrorDocument.class), example = "{\"error\":{\"code\":\"RATE_5001\",\"message\":\"Rate limit exceeded\",\"details\":{\"limit\":10,\"window_seconds\":60,\"reset_at\":1701234567,\"retry_after\":45}}}"),
                                        @Content(mediaType = "application/problem+json", schema = @Schema(type = SchemaType.OBJECT), example = "{\"type\":\"https://iana.org/assignments/http-problem-types#quota-exceeded\",\"title\":\"Rate limit exceeded\",\"status\":429,\"code\":\"RATE_5001\",\"violated-policies\":[\"custom_operation\"],\"limit\":10,\"window_seconds\":60,\"reset_at\":1701234567,\"retry_after\":45}")}),
                        @APIResponse(name = OpenApiDefinition.UNAVAILABLE, description = "RATE_5002: Redis is unavailable and the fallback is closed, or the admin operation requires Redis", content = @Content(mediaType = "application/json", schema = @Schema(implementation = OpenApiDefinition.ErrorDocument.class), example = "{\"error\":{\"code\":\"RATE_5002\",\"message\":\"The rate limit store is unavailable\"}}"))}))
public class OpenApiDefinition extends Application {

    static final String ADMIN_TOKEN = "admin-token";
    static final String API_TOKEN = "api-token";
    static final String BAD_REQUEST = "BadRequest";
    static final String UNAUTHORIZED = "Unauthorized";
    static final String FORBIDDEN = "Forbidden";
    static final String TOO_MANY_REQUESTS = "TooManyRequests";
    static final String UNAVAILABLE = "StoreUnavailable";

    @Schema(name = "Error")
    record ErrorDocument(ErrorBody error) {
    }

    @Schema(name = "ErrorBody")
    record ErrorBody(@Schema(examples = "RATE_5001") String code, String message, Map<String, Object> details) {
    }

    @Schema(name = "Check", description = "Operation to check, with its limit: limit and window_seconds, or rate, or tier")
    record Check(
            @Schema(required = true, minLength = 1, maxLength = 256, description = "Identifier whose usage is counted, verbatim. Identifiers that begin with user: or ip: require the API token") String identifier,
            @Schema(required = true, minLength = 1, maxLength = 256, description = "Resource name; with tier, the name of a configured rule, such as api:/campaigns") String resource,
            @Schema(minimum = "1", maximum = "1000000000", description = "Units per window") Long limit,
            @Schema(minimum = "1", maximum = "2678400", description = "Window length in seconds") Long window_seconds,
            @Schema(description = "One or more quotas, instead of limit and window_seconds", examples = "10/second;100/minute") String rate,
            @Schema(description = "Tier whose rate for the resource applies, instead of an explicit rate; without a matching rule, the default rate of the tier", examples = "pro") String tier,
            @Schema(minimum = "0", maximum = "1000000000", defaultValue = "1", description = "Units to consume. 0 returns the decision for a cost of 1 without consuming anything, always with status 200") Long cost) {
    }

    @Schema(name = "Decision", description = "Decision, with the quota closest to exhaustion; limit, remaining, window_seconds and reset_at are null if the rate is unlimited")
    record DecisionBody(boolean allowed, Long limit, Long remaining, Long window_seconds,
            @Schema(description = "Time at which quota becomes available, in Unix seconds, rounded up") Long reset_at,
            @Schema(description = "Seconds until a retry can succeed, rounded up; 0 if allowed, null if a retry can never succeed") Long retry_after) {
    }

    @Schema(name = "Usage")
    record UsageBody(String identifier, String resource, @Schema(description = "Units used in the current window") long current,
            @Schema(description = "Start of the window in Unix seconds") long window_start,
            @Schema(description = "End of the window in Unix seconds") long window_end) {
    }

    @Schema(name = "Limits")
    record LimitsBody(String identifier,
            @Schema(description = "Units used in the longest window of each resource", examples = "{\"api:/campaigns\":3}") Map<String, Long> limits) {
    }

    @Schema(name = "LlmCheck")
    record LlmCheck(@Schema(required = true, examples = "openai") String provider,
            @Schema(required = true, minLength = 1, maxLength = 256) String identifier,
            @Schema(description = "Tier of the identifier; the first configured tier if missing or unknown", examples = "pro") String tier,
            @Schema(examples = "gpt-4o") String model,
            @Schema(minimum = "0", maximum = "100000000", description = "Estimated input and output tokens of the call; the configured output estimate if missing") Long tokens) {
    }

    @Schema(name = "LlmDecision", description = "Decision, with the quota closest to exhaustion")
    record LlmDecisionBody(boolean allowed, @Schema(description = "Limit; in US dollars for a budget") Double limit,
            Double remaining,
            Long window_seconds, Long reset_at, Long retry_after,
            @Schema(description = "tokens or usd; absent if requests are counted") String unit,
            @Schema(description = "Reservation token, present if tokens or dollars were reserved; send it with the usage report") String reservation) {
    }

    @Schema(name = "LlmUsed", description = "Token usage of a completed call. Missing token counts are 0")
    record LlmUsageReport(@Schema(required = true, examples = "openai") String provider,
            @Schema(required = true, minLength = 1, maxLength = 256) String identifier,
            @Schema(required = true, examples = "gpt-4o") String model,
            @Schema(minimum = "0", maximum = "100000000", description = "All input tokens, including cached reads and cache writes") Long input_tokens,
            @Schema(minimum = "0", maximum = "100000000") Long output_tokens,
            @Schema(minimum = "0", maximum = "100000000", description = "Input tokens read from the cache, part of input_tokens") Long cached_input_tokens,
            @Schema(minimum = "0", maximum = "100000000", description = "Input tokens written to the cache, part of input_tokens") Long cache_write_input_tokens,
            @Schema(description = "Reservation token from the check; settled once") String reservation,
            @Schema(description = "Idempotency key chosen by the client: usage with the same key is recorded once") String request_id) {
    }

    @Schema(name = "LlmAccount")
    record LlmUsageBody(String identifier, int window_hours,
            @Schema(description = "true while Redis is unavailable: only usage not yet written to Redis is included") Boolean partial,
            @Schema(description = "Usage by provider") Map<String, ProviderTally> providers) {
    }

    @Schema(name = "LlmProviderTally")
    record ProviderTally(long calls, int window_hours, long input_tokens, long output_tokens, long cached_input_tokens,
            long cache_write_input_tokens,
            @Schema(description = "Exact cost in US dollars", examples = "0.012345") String cost_usd,
            @Schema(description = "Number of calls to models without a configured price") long unpriced_calls,
            @Schema(description = "Number of calls whose usage was estimated because it was not reported") long estimated_calls,
            @Schema(description = "Usage by model") Map<String, ModelTally> models) {
    }

    @Schema(name = "LlmTally")
    record ModelTally(long calls, long input_tokens, long output_tokens, long cached_input_tokens,
            long cache_write_input_tokens,
            String cost_usd, long unpriced_calls, long estimated_calls) {
    }
}
