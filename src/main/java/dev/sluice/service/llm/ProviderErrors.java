package dev.sluice.service.llm;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.UUID;

import dev.sluice.api.Decision;
import dev.sluice.api.QuotaStatus;
import dev.sluice.api.QuotaUnit;
import dev.sluice.http.ErrorResponse;
import dev.sluice.http.RateLimitHeaders;
import dev.sluice.llm.policy.LimitKind;
import dev.sluice.llm.protocol.Provider;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;

/** Writes errors in the format of each provider, so that its official SDK understands them. */
final class ProviderErrors {

    /** Longest wait for which SDKs may retry: Anthropic's SDK sleeps for any given time, OpenAI's ignores longer waits. */
    private static final Duration MAX_RETRY = Duration.ofSeconds(60);

    private ProviderErrors() {
    }

    /** Sends the error response of a rejection. The headers of a decision must have been written before. */
    static void send(RoutingContext context, Provider provider, CallRejectedException rejection) {
        if (rejection.hasChallenge()) {
            context.response().putHeader("WWW-Authenticate", "Bearer");
        }
        rejection.denial().ifPresentOrElse(denial -> sendDenial(context, denial),
                () -> sendError(context, provider, rejection));
    }

    private static void sendError(RoutingContext context, Provider provider, CallRejectedException rejection) {
        int status = rejection.status();
        var message = rejection.getMessage();
        write(context, status, switch (provider.type()) {
            case OPENAI -> openAi(message, openAiType(status),
                    rejection.deniesModel() ? "model_not_allowed" : openAiCode(status));
            case ANTHROPIC -> anthropic(message, anthropicType(status));
            case GEMINI -> gemini(status, message, null);
        });
    }

    private static void sendDenial(RoutingContext context, CallDenial denial) {
        var decision = denial.decision();
        var response = context.response();
        var wait = decision.retryAfter();
        wait.ifPresent(time -> response.putHeader("retry-after-ms", Long.toString((time.toNanos() + 999_999) / 1_000_000)));
        var quota = denial.quota();
        if (wait.isEmpty() || wait.get().compareTo(MAX_RETRY) > 0 || denial.kind() == LimitKind.BUDGET) {
            response.putHeader("x-should-retry", "false");
        }
        var message = message(denial);
        write(context, 429, switch (denial.provider().type()) {
            case OPENAI -> withLevel(openAi(message, errorType(denial.kind()), "rate_limit_exceeded"), decision);
            case ANTHROPIC -> withLevel(anthropic(message, "rate_limit_error"), decision);
            case GEMINI -> gemini(429, message, details(quota, decision));
        });
    }

    /** Adds {@code details}, as in Sluice's own errors. Clients of the providers ignore members that they do not know. */
    private static JsonObject withLevel(JsonObject body, Decision decision) {
        var level = ErrorResponse.level(decision);
        if (!level.isEmpty()) {
            body.getJsonObject("error").put("details", level);
        }
        return body;
    }

    private static void write(RoutingContext context, int status, JsonObject body) {
        context.response().setStatusCode(status).putHeader("content-type", ErrorResponse.JSON);
        ErrorResponse.send(context, body.encode());
    }

    /** Returns the type of OpenAI's error. */
    private static String errorType(LimitKind kind) {
        return switch (kind) {
            case REQUESTS, CONCURRENCY -> "requests";
            case TOKENS, INPUT_TOKENS, OUTPUT_TOKENS -> "tokens";
            case BUDGET -> "budget";
        };
    }

    private static String message(CallDenial denial) {
        if (denial.reason() != null) {
            return denial.reason();
        }
        var quota = denial.quota();
        boolean inFlight = denial.kind() == LimitKind.CONCURRENCY;
        var text = new StringBuilder(inFlight ? "Too many requests in flight" : "Rate limit reached for ")
                .append(inFlight ? "" : perWindow(denial.kind(), quota));
        if (!ErrorResponse.level(denial.decision()).isEmpty()) {
            text.append(" of ").append(quota.identifier());
        }
        text.append(": Limit ")
                .append(amount(quota, quota.limit())).append(", Used ")
                .append(amount(quota, quota.limit() - quota.remaining()));
        text.append(", Requested ").append(amount(quota, denial.requestedUnits())).append('.');
        denial.decision().retryAfter().ifPresent(
                wait -> text.append(" Please try again in ").append(RateLimitHeaders.ceilSeconds(wait)).append("s."));
        if (denial.mostlyOutput()) {
            text.append(" A call with a smaller maximum of output tokens requests less.");
        }
        if (denial.unproven()) {
            text.append(
                    " Until the provider has accepted a call with this API key, its calls count against your address (rate-limit.llm.unproven-keys).");
        }
        return text.toString();
    }

    private static String amount(QuotaStatus quota, long units) {
        var amount = quota.unit().jsonAmount(units);
        return quota.unit() == QuotaUnit.NANODOLLARS
                ? "$" + new BigDecimal(amount.toString()).toPlainString()
                : amount.toString();
    }

    /** Describes a quota as OpenAI and Anthropic do: requests per min (RPM), input tokens per min (ITPM), tokens per day (TPD). */
    private static String perWindow(LimitKind kind, QuotaStatus quota) {
        var what = switch (kind) {
            case REQUESTS, CONCURRENCY -> "requests";
            case TOKENS -> "tokens";
            case INPUT_TOKENS -> "input tokens";
            case OUTPUT_TOKENS -> "output tokens";
            case BUDGET -> "US dollars";
        };
        var initials = switch (kind) {
            case REQUESTS, CONCURRENCY -> "R";
            case TOKENS -> "T";
            case INPUT_TOKENS -> "IT";
            case OUTPUT_TOKENS -> "OT";
            case BUDGET -> "U";
        };
        long seconds = quota.window().toSeconds();
        if (seconds == 60) {
            return what + " per min (" + initials + "PM)";
        }
        return seconds == 86_400
                ? what + " per day (" + initials + "PD)"
                : seconds == 3600 ? what + " per hour (" + initials + "PH)" : what + " per " + seconds + " s";
    }

    private static JsonArray details(QuotaStatus quota, Decision decision) {
        var violation = new JsonObject().put("quotaMetric", quota.resource())
                .put("quotaId",
                        quota.window().isZero() ? quota.resource() : quota.resource() + '/' + quota.window().toSeconds() + 's')
                .put("quotaValue", quota.unit().jsonAmount(quota.limit()).toString());
        var level = ErrorResponse.level(decision);
        if (!level.isEmpty()) {
            violation.put("subject", level.getString("identifier"));
        }
        var details = new JsonArray().add(new JsonObject().put("@type", "type.googleapis.com/google.rpc.QuotaFailure")
                .put("violations", new JsonArray().add(violation)));
        decision.retryAfter().ifPresent(wait -> details.add(new JsonObject()
                .put("@type", "type.googleapis.com/google.rpc.RetryInfo")
                .put("retryDelay", RateLimitHeaders.ceilSeconds(wait) + "s")));
        return details;
    }

    private static JsonObject openAi(String message, String type, String code) {
        return new JsonObject().put("error",
                new JsonObject().put("message", message).put("type", type).putNull("param").put("code", code));
    }

    private static JsonObject anthropic(String message, String type) {
        return new JsonObject().put("type", "error").put("error", new JsonObject().put("type", type).put("message", message))
                .put("request_id", "req_" + UUID.randomUUID().toString().replace("-", ""));
    }

    private static JsonObject gemini(int status, String message, JsonArray details) {
        var error = new JsonObject().put("code", status).put("message", message).put("status", geminiStatus(status));
        return new JsonObject().put("error", details == null ? error : error.put("details", details));
    }

    private static String openAiType(int status) {
        return status == 429 ? "requests" : status >= 500 ? "server_error" : "invalid_request_error";
    }

    private static String openAiCode(int status) {
        return switch (status) {
            case 401 -> "invalid_api_key";
            case 403 -> "path_not_allowed";
            case 404 -> "unknown_url";
            case 429 -> "rate_limit_exceeded";
            default -> null;
        };
    }

    private static String anthropicType(int status) {
        return switch (status) {
            case 401 -> "authentication_error";
            case 403 -> "permission_error";
            case 404 -> "not_found_error";
            case 413 -> "request_too_large";
            case 429 -> "rate_limit_error";
            case 504 -> "timeout_error";
            default -> status >= 500 ? "api_error" : "invalid_request_error";
        };
    }

    private static String geminiStatus(int status) {
        return switch (status) {
            case 401 -> "UNAUTHENTICATED";
            case 403 -> "PERMISSION_DENIED";
            case 404 -> "NOT_FOUND";
            case 429 -> "RESOURCE_EXHAUSTED";
            case 500 -> "INTERNAL";
            case 504 -> "DEADLINE_EXCEEDED";
            default -> status > 500 ? "UNAVAILABLE" : "INVALID_ARGUMENT";
        };
    }
}
