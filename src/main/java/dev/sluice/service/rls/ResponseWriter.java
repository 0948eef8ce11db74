package dev.sluice.service.rls;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

import com.google.protobuf.ByteString;

import dev.sluice.api.Decision;
import dev.sluice.api.QuotaStatus;
import dev.sluice.engine.JointResult;
import dev.sluice.http.ErrorResponse;
import dev.sluice.http.RateLimitHeaders;
import dev.sluice.service.grpc.proto.CoreProto.HeaderValue;
import dev.sluice.service.grpc.proto.RlsProto.RateLimitResponse;
import dev.sluice.service.grpc.proto.RlsProto.RateLimitResponse.Code;
import dev.sluice.service.grpc.proto.RlsProto.RateLimitResponse.DescriptorStatus;
import dev.sluice.service.grpc.proto.RlsProto.RateLimitResponse.RateLimit;
import dev.sluice.service.grpc.proto.RlsProto.RateLimitResponse.RateLimit.Unit;
import dev.sluice.service.rls.DescriptorRequest.Ruled;
import dev.sluice.store.Enforcement;

/** Writes the response to a request of Envoy's rate limit service. */
final class ResponseWriter {

    private static final int UNLIMITED = -1; // the largest number of 32 bits
    private static final long MAX_UNSIGNED = 0xFFFF_FFFFL;

    private final DescriptorRequest request;
    private final JointResult result;
    private final RequestMode mode;
    private final Decision blocked;
    private final RateLimitHeaders headers;

    /** @param blocked decision by a rule that blocks everything; null if there is none */
    ResponseWriter(DescriptorRequest request, JointResult result, RequestMode mode, Decision blocked,
            RateLimitHeaders headers) {
        this.blocked = blocked;
        this.request = request;
        this.result = result;
        this.mode = mode;
        this.headers = headers;
    }

    RateLimitResponse write() {
        boolean allowed = mode == RequestMode.REPORT || result.allowed() && (blocked == null || blocked.allowed());
        var response = RateLimitResponse.newBuilder().setOverallCode(allowed ? Code.OK : Code.OVER_LIMIT);
        for (var descriptor : request.descriptors()) {
            response.addStatuses(status(descriptor, allowed));
        }
        closest(allowed).ifPresent(decision -> addHeaders(response, decision));
        return response.build();
    }

    private DescriptorStatus status(Optional<Ruled> descriptor, boolean allowed) {
        var status = DescriptorStatus.newBuilder().setCode(Code.OK);
        if (descriptor.isEmpty()) {
            return status.build();
        }
        var ruled = descriptor.get();
        var rule = ruled.match().rule();
        switch (ruled.limit().kind()) {
            case UNLIMITED -> status.setLimitRemaining(UNLIMITED);
            case BLOCKED -> status.setCode(code(rule, true))
                    .setCurrentLimit(RateLimit.newBuilder().setName(rule.name()));
            case WINDOWS -> {
                var quota = result.decision(ruled.part(), allowed).mostRestrictive().orElseThrow();
                status.setCode(code(rule, quota.denied()))
                        .setCurrentLimit(RateLimit.newBuilder().setName(rule.name()).setRequestsPerUnit(unsigned(quota.limit()))
                                .setUnit(unit(ruled.limit(), quota)))
                        .setLimitRemaining(unsigned(quota.remaining())).setDurationUntilReset(untilReset(quota));
            }
        }
        return status.build();
    }

    private static Unit unit(NodeLimit limit, QuotaStatus quota) {
        long seconds = quota.window().toSeconds();
        for (var window : limit.windows()) {
            if (window.period() != null && window.limit() == quota.limit() && window.hasLength(seconds)) {
                return TimeUnits.of(window.period());
            }
        }
        return TimeUnits.ofLength(seconds);
    }

    private Code code(DescriptorRule rule, boolean denied) {
        return denied && mode != RequestMode.REPORT && rule.enforcement() != Enforcement.SHADOW ? Code.OVER_LIMIT : Code.OK;
    }

    private com.google.protobuf.Duration untilReset(QuotaStatus quota) {
        Instant until = quota.retryAt().or(quota::resetAt).orElse(result.decidedAt());
        var wait = Duration.between(result.decidedAt(), until);
        return com.google.protobuf.Duration.newBuilder().setSeconds(wait.getSeconds()).setNanos(wait.getNano()).build();
    }

    private static int unsigned(long value) {
        return (int) Math.min(value, MAX_UNSIGNED);
    }

    /** Returns the decision on the descriptor that is closest to its end; a shadow only if there is no other; empty if none counts. */
    private Optional<Decision> closest(boolean allowed) {
        if (blocked != null) {
            return Optional.of(blocked);
        }
        var counted = counted(false);
        if (counted.isEmpty()) {
            counted = counted(true);
        }
        if (counted.size() <= 1) {
            return counted.stream().findFirst().map(part -> result.decision(part, allowed));
        }
        var all = counted.stream().flatMap(part -> result.quotas().get(part).stream()).toList();
        var first = new Decision(allowed, !allowed, result.mode(), result.decidedAt(), all).mostRestrictive().orElseThrow();
        return counted.stream().filter(part -> result.quotas().get(part).contains(first)).findFirst()
                .map(part -> result.decision(part, allowed));
    }

    /** Returns the parts that are decided. */
    private List<Integer> counted(boolean shadow) {
        var counted = new ArrayList<Integer>(1);
        for (var descriptor : request.descriptors()) {
            if (descriptor.isPresent() && descriptor.get().part() >= 0
                    && (descriptor.get().match().rule().enforcement() == Enforcement.SHADOW) == shadow) {
                counted.add(descriptor.get().part());
            }
        }
        return counted;
    }

    private void addHeaders(RateLimitResponse.Builder response, Decision decision) {
        headers.write(decision, (name, value) -> response.addResponseHeadersToAdd(header(name.toString(), value)));
        if (!decision.allowed()) {
            response.addResponseHeadersToAdd(header("content-type", ErrorResponse.JSON))
                    .setRawBody(ByteString.copyFromUtf8(ErrorResponse.rateLimitExceeded(decision).body(ErrorResponse.JSON)));
        }
    }

    private static HeaderValue header(String name, String value) {
        return HeaderValue.newBuilder().setKey(name).setValue(value).build();
    }
}
