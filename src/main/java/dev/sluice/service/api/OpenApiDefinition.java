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

/** What {@code /q/openapi} says of all endpoints; the endpoints say the rest themselves. */
@OpenAPIDefinition(info = @Info(title = "Sluice", version = "v1", description = "Distributed rate limiting for HTTP APIs and LLM calls"), components = @Components(securitySchemes = {
        @SecurityScheme(securitySchemeName = OpenApiDefinition.ADMIN, type = SecuritySchemeType.HTTP, scheme = "bearer", description = "RATE_LIMIT_ADMIN_TOKEN"),
        @SecurityScheme(securitySchemeName = OpenApiDefinition.TOKEN, type = SecuritySchemeType.HTTP, scheme = "bearer", description = "RATE_LIMIT_API_TOKEN, asked for where it is set; the admin token opens these too")}, headers = {
                @Header(name = "X-RateLimit-Limit", description = "Units per window, of the rate closest to its end", schema = @Schema(type = SchemaType.INTEGER)),
                @Header(name = "X-RateLimit-Remaining", description = "Units that still fit", schema = @Schema(type = SchemaType.INTEGER)),
                @Header(name = "X-RateLimit-Reset", description = "Unix seconds, rounded up: when more quota is there", schema = @Schema(type = SchemaType.INTEGER)),
                @Header(name = "Retry-After", description = "Seconds, rounded up, after which a client without rivals gets in", schema = @Schema(type = SchemaType.INTEGER))}, responses = {
                        @APIResponse(name = OpenApiDefinition.BAD_REQUEST, description = "RATE_4001: the request cannot be read, details.field names the field. RATE_4002: the cost is above the limit.", content = @Content(mediaType = "application/json", schema = @Schema(implementation = OpenApiDefinition.Failure.class), example = "{\"error\":{\"code\":\"RATE_4001\",\"message\":\"limit must be a whole number from 1 to 1000000000\",\"details\":{\"field\":\"limit\"}}}")),
                        @APIResponse(name = OpenApiDefinition.UNAUTHORIZED, description = "RATE_4011: a token or key that does not verify; counted against the address", content = @Content(mediaType = "application/json", schema = @Schema(implementation = OpenApiDefinition.Failure.class), example = "{\"error\":{\"code\":\"RATE_4011\",\"message\":\"The token or key does not verify\"}}")),
                        @APIResponse(name = OpenApiDefinition.FORBIDDEN, description = "RATE_4031: the admin token, or for a reserved identifier the API token, is missing", content = @Content(mediaType = "application/json", schema = @Schema(implementation = OpenApiDefinition.Failure.class), example = "{\"error\":{\"code\":\"RATE_4031\",\"message\":\"The admin endpoints are closed: set RATE_LIMIT_ADMIN_TOKEN to open them\"}}")),
                        @APIResponse(name = OpenApiDefinition.TOO_MANY, description = "RATE_5001: over the limit; nothing was consumed", headers = {
                                @Header(ref = "X-RateLimit-Limit", name = "X-RateLimit-Limit"),
                                @Header(ref = "X-RateLimit-Remaining", name = "X-RateLimit-Remaining"),
                                @Header(ref = "X-RateLimit-Reset", name = "X-RateLimit-Reset"),
                                @Header(ref = "Retry-After", name = "Retry-After")}, content = {
                                        @Content(mediaType = "application/json", schema = @Schema(implementation = OpenApiDefinition.Failure.class), example = "{\"error\":{\"code\":\"RATE_5001\",\"message\":\"Rate limit exceeded\",\"details\":{\"limit\":10,\"window_seconds\":60,\"reset_at\":1701234567,\"retry_after\":45}}}"),
                                        @Content(mediaType = "application/problem+json", schema = @Schema(type = SchemaType.OBJECT), example = "{\"type\":\"https://iana.org/assignments/http-problem-types#quota-exceeded\",\"title\":\"Rate limit exceeded\",\"status\":429,\"code\":\"RATE_5001\",\"violated-policies\":[\"custom_operation\"],\"limit\":10,\"window_seconds\":60,\"reset_at\":1701234567,\"retry_after\":45}")}),
                        @APIResponse(name = OpenApiDefinition.UNAVAILABLE, description = "RATE_5002: Redis is out of reach and the fallback is closed, or an admin call needs Redis", content = @Content(mediaType = "application/json", schema = @Schema(implementation = OpenApiDefinition.Failure.class), example = "{\"error\":{\"code\":\"RATE_5002\",\"message\":\"The rate limit store is out of reach\"}}"))}))
public class OpenApiDefinition extends Application {

    static final String ADMIN = "admin-token";
    static final String TOKEN = "api-token";
    static final String BAD_REQUEST = "BadRequest";
    static final String UNAUTHORIZED = "Unauthorized";
    static final String FORBIDDEN = "Forbidden";
    static final String TOO_MANY = "TooManyRequests";
    static final String UNAVAILABLE = "StoreUnavailable";

    @Schema(name = "Error")
    record Failure(ErrorBody error) {
    }

    @Schema(name = "ErrorBody")
    record ErrorBody(@Schema(examples = "RATE_5001") String code, String message, Map<String, Object> details) {
    }

    @Schema(name = "Check", description = "What may go ahead: under limit and window_seconds, or a rate, or a tier's row")
    record Check(
            @Schema(required = true, minLength = 1, maxLength = 256, description = "Whose window it is, verbatim. What begins with user: or ip: asks for the API token") String identifier,
            @Schema(required = true, minLength = 1, maxLength = 256, description = "Of what; with a tier the name of a row, such as api:/campaigns") String resource,
            @Schema(minimum = "1", maximum = "1000000000") Long limit,
            @Schema(minimum = "1", maximum = "2678400") Long window_seconds,
            @Schema(description = "In place of limit and window_seconds", examples = "10/second;100/minute") String rate,
            @Schema(description = "In place of a rate: that of the configured row, or the tier's default", examples = "pro") String tier,
            @Schema(minimum = "0", maximum = "1000000000", defaultValue = "1", description = "0 asks what 1 would be answered, consumes nothing and is always answered with 200") Long cost) {
    }

    @Schema(name = "Decision", description = "Of the rate closest to its end; limit, remaining, window_seconds and reset_at are null where the rate is unlimited")
    record Checked(boolean allowed, Long limit, Long remaining, Long window_seconds,
            @Schema(description = "Unix seconds, rounded up") Long reset_at,
            @Schema(description = "Seconds, rounded up; 0 where it is allowed, null where no waiting helps") Long retry_after) {
    }

    @Schema(name = "Usage")
    record Used(String identifier, String resource, @Schema(description = "Units in the window now") long current,
            @Schema(description = "Unix seconds") long window_start, @Schema(description = "Unix seconds") long window_end) {
    }

    @Schema(name = "Limits")
    record Listed(String identifier,
            @Schema(description = "Units in the longest window of each resource", examples = "{\"api:/campaigns\":3}") Map<String, Long> limits) {
    }

    @Schema(name = "LlmCheck")
    record LlmCheck(@Schema(required = true, examples = "openai") String provider,
            @Schema(required = true, minLength = 1, maxLength = 256) String identifier,
            @Schema(description = "The first tier where it is missing or unknown", examples = "pro") String tier,
            @Schema(examples = "gpt-4o") String model,
            @Schema(minimum = "0", maximum = "100000000", description = "About how many tokens the call will take, in and out; the configured estimate of the output where it is missing") Long tokens) {
    }

    @Schema(name = "LlmDecision", description = "Of the rate closest to its end")
    record LlmChecked(boolean allowed, @Schema(description = "Of a budget, US dollars") Double limit, Double remaining,
            Long window_seconds, Long reset_at, Long retry_after,
            @Schema(description = "tokens or usd; missing where requests are counted") String unit,
            @Schema(description = "Where tokens or dollars were reserved: to be sent with the usage") String reservation) {
    }

    @Schema(name = "LlmUsed", description = "Counts of tokens are 0 where they are missing")
    record LlmUsed(@Schema(required = true, examples = "openai") String provider,
            @Schema(required = true, minLength = 1, maxLength = 256) String identifier,
            @Schema(required = true, examples = "gpt-4o") String model,
            @Schema(minimum = "0", maximum = "100000000", description = "All input, cached reads and cache writes included") Long input_tokens,
            @Schema(minimum = "0", maximum = "100000000") Long output_tokens,
            @Schema(minimum = "0", maximum = "100000000", description = "A part of the input") Long cached_input_tokens,
            @Schema(minimum = "0", maximum = "100000000", description = "A part of the input") Long cache_write_input_tokens,
            @Schema(description = "From the check; settled once") String reservation,
            @Schema(description = "Yours: the same is booked once") String request_id) {
    }

    @Schema(name = "LlmAccount")
    record LlmAccount(String identifier, int window_hours,
            @Schema(description = "true while Redis is out of reach: only what waits to be written") Boolean partial,
            @Schema(description = "By provider") Map<String, ProviderTally> providers) {
    }

    @Schema(name = "LlmProviderTally")
    record ProviderTally(long calls, int window_hours, long input_tokens, long output_tokens, long cached_input_tokens,
            long cache_write_input_tokens, @Schema(description = "US dollars, exact", examples = "0.012345") String cost_usd,
            @Schema(description = "Calls of models without a price") long unpriced_calls,
            @Schema(description = "Calls whose usage nobody reported") long estimated_calls,
            @Schema(description = "By model") Map<String, ModelTally> models) {
    }

    @Schema(name = "LlmTally")
    record ModelTally(long calls, long input_tokens, long output_tokens, long cached_input_tokens,
            long cache_write_input_tokens,
            String cost_usd, long unpriced_calls, long estimated_calls) {
    }
}
