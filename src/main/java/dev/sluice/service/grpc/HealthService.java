package dev.sluice.service.grpc;

import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

import jakarta.inject.Singleton;

import dev.sluice.api.DecisionMode;
import dev.sluice.engine.StoreStatus;
import dev.sluice.service.grpc.proto.HealthProto.HealthCheckRequest;
import dev.sluice.service.grpc.proto.HealthProto.HealthCheckResponse;
import dev.sluice.service.grpc.proto.HealthProto.HealthCheckResponse.ServingStatus;
import io.vertx.core.Vertx;
import io.vertx.grpc.common.GrpcStatus;
import io.vertx.grpc.server.GrpcServer;
import io.vertx.grpc.server.GrpcServerRequest;

/**
 * Health checking protocol of gRPC ({@code grpc.health.v1.Health}). All services have the status of the readiness check: they serve
 * unless Redis is unavailable and the fallback is closed.
 */
@Singleton
class HealthService implements GrpcService {

    private static final String NAME = "grpc.health.v1.Health";
    /** Path of all methods up to the method's name. */
    static final String PATH_PREFIX = "/" + NAME + "/";

    /** Interval at which a watched status is compared. */
    private static final long WATCH_INTERVAL_MILLIS = 500;

    private static final AtomicInteger WATCHES = new AtomicInteger();

    private final Vertx vertx;
    private final StoreStatus store;
    private final Set<String> services;

    HealthService(Vertx vertx, StoreStatus store, ServiceDescriptors descriptors) {
        this.vertx = vertx;
        this.store = store;
        this.services = descriptors.services();
    }

    @Override
    public void addTo(GrpcServer server) {
        GrpcMethod.<HealthCheckRequest, HealthCheckResponse>addUnary(server, NAME, "Check", HealthCheckRequest.parser(),
                (request, call) -> {
                    var status = status(request.getService());
                    if (status == ServingStatus.SERVICE_UNKNOWN) {
                        call.fail(GrpcStatus.NOT_FOUND, "No such service");
                    } else {
                        call.complete(response(status));
                    }
                });
        GrpcMethod.<HealthCheckRequest, HealthCheckResponse>addStreaming(server, NAME, "Watch", HealthCheckRequest.parser(),
                request -> request.handler(message -> new Watch(request, message.getService()).start()));
    }

    /** Returns the number of streams that are watched, for tests. */
    static int watches() {
        return WATCHES.get();
    }

    private ServingStatus status(String service) {
        if (!service.isEmpty() && !services.contains(service)) {
            return ServingStatus.SERVICE_UNKNOWN;
        }
        return store.mode() == DecisionMode.CLOSED ? ServingStatus.NOT_SERVING : ServingStatus.SERVING;
    }

    private static HealthCheckResponse response(ServingStatus status) {
        return HealthCheckResponse.newBuilder().setStatus(status).build();
    }

    /** A stream that receives the status now and after each change, until the client ends it. */
    private final class Watch {

        private final GrpcServerRequest<HealthCheckRequest, HealthCheckResponse> request;
        private final String service;
        private ServingStatus sent;
        private long timer;
        private boolean ended;

        Watch(GrpcServerRequest<HealthCheckRequest, HealthCheckResponse> request, String service) {
            this.request = request;
            this.service = service;
        }

        void start() {
            WATCHES.incrementAndGet();
            request.handler(message -> {
                // the protocol has one request message
            });
            GrpcMethod.onCancel(request, this::end);
            timer = vertx.setPeriodic(WATCH_INTERVAL_MILLIS, tick -> send());
            send();
        }

        private void end() {
            if (!ended) {
                ended = true;
                vertx.cancelTimer(timer);
                WATCHES.decrementAndGet();
            }
        }

        private void send() {
            var status = status(service);
            if (status != sent) {
                sent = status;
                request.response().write(response(status));
            }
        }
    }
}
