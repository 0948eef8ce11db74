package dev.sluice.service.rls;

import java.time.Instant;
import java.util.List;

import jakarta.inject.Singleton;

import org.jboss.logging.Logger;

import dev.sluice.api.Decision;
import dev.sluice.api.StoreUnavailableException;
import dev.sluice.engine.JointLimiter;
import dev.sluice.engine.JointResult;
import dev.sluice.http.RateLimitHeaders;
import dev.sluice.service.grpc.UnaryCall;
import dev.sluice.service.grpc.proto.RlsProto.RateLimitRequest;
import dev.sluice.service.grpc.proto.RlsProto.RateLimitResponse;
import io.vertx.grpc.common.GrpcStatus;

/** Decides requests of Envoy's rate limit service. Called on event loops. */
@Singleton
class DescriptorLimiter {

    private static final Logger LOG = Logger.getLogger(DescriptorLimiter.class);
    private static final int MAX_DESCRIPTORS = 100;
    private static final int MAX_ENTRIES = 100;

    private final DomainRules rules;
    private final JointLimiter limiter;
    private final RateLimitHeaders headers;

    DescriptorLimiter(DomainRules rules, JointLimiter limiter, RateLimitHeaders headers) {
        this.rules = rules;
        this.limiter = limiter;
        this.headers = headers;
    }

    void decide(RateLimitRequest request, RequestMode mode, UnaryCall<RateLimitResponse> call) {
        DescriptorRequest descriptors;
        try {
            validate(request);
            var tree = rules.find(request.getDomain());
            descriptors = new DescriptorRequest(request.getDomain(), tree == null ? DescriptorNode.root() : tree, request, mode,
                    limiter.fallback(), limiter::currentPeriod);
        } catch (InvalidDescriptorException e) {
            call.fail(GrpcStatus.INVALID_ARGUMENT, e.getMessage());
            return;
        }
        var blocked = mode == RequestMode.REPORT ? null : block(descriptors);
        boolean denied = blocked != null && !blocked.allowed();
        if (descriptors.parts().isEmpty()) {
            var nothing = new JointResult(true, limiter.mode(), Instant.now(), List.of());
            call.complete(new ResponseWriter(descriptors, nothing, mode, blocked, headers).write());
            return;
        }
        limiter.decide(descriptors.parts(), mode != RequestMode.CHECK && !denied,
                result -> call.complete(new ResponseWriter(descriptors, result, mode, blocked, headers).write()),
                failure -> fail(call, failure));
    }

    /** Denies by the rules that block everything; returns the decision, or null if there is no such rule. */
    private Decision block(DescriptorRequest request) {
        Decision decision = null;
        for (var match : request.blocking()) {
            decision = limiter.block(match.identifier(), match.label(), match.resource());
        }
        return decision;
    }

    private static void fail(UnaryCall<RateLimitResponse> call, Throwable failure) {
        if (failure instanceof StoreUnavailableException) {
            call.fail(GrpcStatus.UNAVAILABLE, "The rate limit store is unavailable");
        } else {
            LOG.error("Decision failed", failure);
            call.fail(GrpcStatus.INTERNAL, "Internal error");
        }
    }

    private static void validate(RateLimitRequest request) throws InvalidDescriptorException {
        if (request.getDomain().isEmpty()) {
            throw new InvalidDescriptorException("domain must not be empty");
        }
        if (request.getDescriptorsCount() == 0 || request.getDescriptorsCount() > MAX_DESCRIPTORS) {
            throw new InvalidDescriptorException("descriptors must have 1 to " + MAX_DESCRIPTORS + " items");
        }
        for (var descriptor : request.getDescriptorsList()) {
            if (descriptor.getEntriesCount() == 0 || descriptor.getEntriesCount() > MAX_ENTRIES) {
                throw new InvalidDescriptorException("entries of a descriptor must have 1 to " + MAX_ENTRIES + " items");
            }
            for (var entry : descriptor.getEntriesList()) {
                if (entry.getKey().isEmpty()) {
                    throw new InvalidDescriptorException("key of an entry must not be empty");
                }
            }
        }
    }
}
