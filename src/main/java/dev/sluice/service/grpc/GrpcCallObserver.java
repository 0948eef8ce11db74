package dev.sluice.service.grpc;

import io.vertx.core.http.HttpServerRequest;

/** Observes the calls of the gRPC server, except those of the health service. Beans; those with the highest priority come first. */
public interface GrpcCallObserver {

    /**
     * A call has arrived. Called on its event loop and in its Vert.x context, before the call is authenticated. When the response
     * has ended, its trailers or, if there are none, its headers have {@code grpc-status}.
     */
    void onCall(HttpServerRequest call);
}
