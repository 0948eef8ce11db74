package dev.sluice.service.grpc;

import com.google.protobuf.MessageLite;

import io.vertx.core.net.SocketAddress;
import io.vertx.grpc.common.GrpcStatus;
import io.vertx.grpc.server.GrpcServerRequest;
import io.vertx.grpc.server.GrpcServerResponse;

/**
 * Response of a call with one message. A response to a call that the client has cancelled is dropped: to write it would make Netty
 * close the whole connection with PROTOCOL_ERROR, because it takes the stream for a new one. Called on the event loop of the call.
 *
 * @param <R> the response message
 */
public final class UnaryCall<R extends MessageLite> {

    private final GrpcServerResponse<?, R> response;
    private final SocketAddress remoteAddress;
    private boolean begun;
    private boolean cancelled;

    UnaryCall(GrpcServerRequest<?, R> request) {
        this.response = request.response();
        this.remoteAddress = request.connection().remoteAddress();
    }

    /** Returns the remote end of the connection; null if it is not known. */
    public SocketAddress remoteAddress() {
        return remoteAddress;
    }

    /** Returns whether this is the first message, or the end of a request without one. */
    boolean begin() {
        boolean first = !begun;
        begun = true;
        return first;
    }

    /** Drops the response: the client has cancelled the call, or disconnected. */
    void cancel() {
        cancelled = true;
    }

    /** Completes the call with status OK. */
    public void complete(R message) {
        if (!cancelled) {
            response.end(message);
        }
    }

    /**
     * Completes the call with an error.
     *
     * @param message says what is wrong and what is allowed; must not repeat content of the request
     */
    public void fail(GrpcStatus status, String message) {
        if (!cancelled) {
            response.status(status).statusMessage(message).end();
        }
    }
}
