package dev.sluice.service.api;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;

import org.jspecify.annotations.Nullable;

import dev.sluice.api.CalendarPeriod;
import dev.sluice.api.Decision;
import dev.sluice.api.QuotaStatus;
import dev.sluice.api.Rate;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.http.ErrorResponse;
import dev.sluice.llm.policy.CurrentLlmPolicy;
import dev.sluice.policy.CurrentPolicy;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/**
 * The checks of one {@code POST /v1/check}, decided together: all of them are granted, or none is. Each window may be named once.
 *
 * @param checks the checks as sent
 * @param requests the request of each check
 * @param isSingle whether the body is a check itself and not an array of checks
 */
record CheckBatch(List<CheckRequest> checks, List<RateLimitRequest> requests, boolean isSingle) {

    static final int MAX_CHECKS = 100;

    private static final String FIELD = "checks";
    private static final byte[] QUOTED_FIELD = ('"' + FIELD + '"').getBytes(StandardCharsets.US_ASCII);

    /** @param seconds its length; of a calendar window 0, because its periods have different lengths */
    private record Window(String identifier, String resource, long seconds, @Nullable CalendarPeriod period) {
    }

    /**
     * Reads a body.
     *
     * @return null if it is a single check
     * @throws BadRequestException if a check is not valid, if two name the same window, or if only some charge
     */
    static @Nullable CheckBatch read(byte[] body, RequestBodyReader bodies, CurrentPolicy policy, CurrentLlmPolicy llmPolicy) {
        var checks = mayHaveField(body) ? bodies.readAll(body, FIELD, MAX_CHECKS, CheckRequest.class) : null;
        if (checks == null) {
            return null;
        }
        var requests = new ArrayList<RateLimitRequest>(checks.size());
        var windows = new HashSet<Window>();
        for (int i = 0; i < checks.size(); i++) {
            var check = checks.get(i);
            requests.add(RequestBodyReader.inElement(FIELD, i, () -> {
                if (check.isCharge() != checks.get(0).isCharge()) {
                    throw BadRequestException.forField("charge", "charge must be the same for all checks");
                }
                var request = check.toRateLimitRequest(policy, llmPolicy);
                if (!windows(request).stream().allMatch(windows::add)) {
                    throw BadRequestException.forField("resource",
                            "An earlier check names the same identifier and resource with a window of the same length");
                }
                return request;
            }));
        }
        return new CheckBatch(checks, requests, false);
    }

    /** Returns the batch of a body that is a check itself. */
    static CheckBatch single(CheckRequest check, RateLimitRequest request) {
        return new CheckBatch(List.of(check), List.of(request), true);
    }

    /** Calls a task for each check; in its errors, the field is a JSON pointer if there are several checks. */
    void forEach(BiConsumer<CheckRequest, RateLimitRequest> task) {
        if (isSingle) {
            task.accept(checks.get(0), requests.get(0));
            return;
        }
        for (int i = 0; i < checks.size(); i++) {
            int index = i;
            RequestBodyReader.inElement(FIELD, i, () -> {
                task.accept(checks.get(index), requests.get(index));
                return null;
            });
        }
    }

    private static boolean mayHaveField(byte[] body) {
        for (int i = 0; i <= body.length - QUOTED_FIELD.length; i++) {
            int matching = 0;
            while (matching < QUOTED_FIELD.length && body[i + matching] == QUOTED_FIELD[matching]) {
                matching++;
            }
            if (matching == QUOTED_FIELD.length) {
                return true;
            }
        }
        return false;
    }

    private static Set<Window> windows(RateLimitRequest request) {
        var check = request.checks().get(0);
        return check.rate().quotas().stream()
                .map(quota -> new Window(request.identifier(), check.resource(),
                        quota.period() == null ? quota.windowSeconds() : 0, quota.period()))
                .collect(Collectors.toSet());
    }

    boolean isCharge() {
        return checks.get(0).isCharge();
    }

    /** Returns whether nothing is consumed, so that a denial is an answer and no error. */
    boolean isQuery() {
        return requests.stream().allMatch(request -> request.checks().get(0).cost() == 0);
    }

    /** Returns the error of a batch whose identifiers one call cannot decide. */
    static ErrorResponse notAtomic() {
        return ErrorResponse.badRequest(FIELD,
                "On a Redis Cluster, checks are decided together only if their identifiers have one"
                        + " hash tag: rls:<domain>:… has that of its domain");
    }

    /** Returns the JSON of a decision; of an array of checks, with one result for each in their order. */
    String json(Decision decision) {
        if (isSingle) {
            return DecisionJson.of(decision, null);
        }
        return requests.stream().map(request -> DecisionJson.of(result(request, decision), null))
                .collect(Collectors.joining(",", "{\"allowed\":" + decision.allowed() + ",\"results\":[", "]}"));
    }

    /** Returns the error of a denial; of an array of checks, with one result for each in the details. */
    ErrorResponse denial(Decision decision) {
        if (isSingle) {
            return ErrorResponse.rateLimitExceeded(decision);
        }
        var results = new JsonArray();
        requests.forEach(request -> results.add(new JsonObject(DecisionJson.of(result(request, decision), null))));
        var denial = ErrorResponse.rateLimitExceeded(decision);
        return new ErrorResponse(denial.status(), denial.code(), denial.message(),
                denial.details().copy().put("results", results),
                JsonObject::new);
    }

    /** Returns the decision as it is for one check: allowed if its own windows have room. */
    private static Decision result(RateLimitRequest request, Decision decision) {
        var own = windows(request);
        var quotas = decision.quotas().stream().filter(quota -> own.contains(windowOf(quota))).toList();
        boolean denied = request.checks().get(0).rate() == Rate.BLOCKED || quotas.stream().anyMatch(QuotaStatus::denied);
        return new Decision(decision.allowed() || !denied, denied, decision.mode(), decision.decidedAt(), quotas);
    }

    private static Window windowOf(QuotaStatus quota) {
        return new Window(quota.identifier(), quota.resource(), quota.period() == null ? quota.window().toSeconds() : 0,
                quota.period());
    }
}
