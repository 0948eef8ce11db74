package dev.sluice.service.rls;

import jakarta.inject.Singleton;

import dev.sluice.service.grpc.GrpcMethod;
import dev.sluice.service.grpc.GrpcService;
import dev.sluice.service.grpc.proto.RlsProto.RateLimitRequest;
import dev.sluice.service.grpc.proto.RlsProto.RateLimitResponse;
import io.vertx.grpc.server.GrpcServer;

/** Envoy's global rate limit service, version 3, and Kuadrant's, which has the same messages. */
@Singleton
class EnvoyRateLimitService implements GrpcService {

    private static final String ENVOY = "envoy.service.ratelimit.v3.RateLimitService";
    private static final String KUADRANT = "kuadrant.service.ratelimit.v1.RateLimitService";

    private final DescriptorLimiter limiter;

    EnvoyRateLimitService(DescriptorLimiter limiter) {
        this.limiter = limiter;
    }

    @Override
    public void addTo(GrpcServer server) {
        add(server, ENVOY, "ShouldRateLimit", RequestMode.LIMIT);
        add(server, KUADRANT, "CheckRateLimit", RequestMode.CHECK);
        add(server, KUADRANT, "Report", RequestMode.REPORT);
    }

    private void add(GrpcServer server, String service, String method, RequestMode mode) {
        GrpcMethod.<RateLimitRequest, RateLimitResponse>addUnary(server, service, method, RateLimitRequest.parser(),
                (request, call) -> limiter.decide(request, mode, call));
    }
}
