package dev.sluice.service.grpc;

import io.vertx.grpc.server.GrpcServer;

/** A gRPC service. Its methods are called on event loops and must not block. */
public interface GrpcService {

    /** Adds the methods of the service to the server of an event loop. */
    void addTo(GrpcServer server);
}
