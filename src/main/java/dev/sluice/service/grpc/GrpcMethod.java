package dev.sluice.service.grpc;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

import org.jboss.logging.Logger;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;

import io.vertx.core.buffer.Buffer;
import io.vertx.grpc.common.GrpcMessage;
import io.vertx.grpc.common.GrpcStatus;
import io.vertx.grpc.common.MessageSizeOverflowException;
import io.vertx.grpc.common.ServiceMethod;
import io.vertx.grpc.common.ServiceName;
import io.vertx.grpc.server.GrpcServer;
import io.vertx.grpc.server.GrpcServerRequest;

/**
 * Adds methods to a {@link GrpcServer}. A message that is not one of protobuf, or not UTF-8, is answered with INVALID_ARGUMENT, one
 * that is too large with RESOURCE_EXHAUSTED, and an error of the method with INTERNAL.
 */
public final class GrpcMethod {

    private static final Logger LOG = Logger.getLogger(GrpcMethod.class);

    private GrpcMethod() {
    }

    /**
     * Adds a method with one request message and one response message.
     *
     * @param service full name of the service
     * @param handler receives the request and the call, and completes the call once, on any thread
     */
    public static <Q extends MessageLite, R extends MessageLite> void addUnary(GrpcServer server, String service, String method,
            Parser<Q> parser, BiConsumer<Q, UnaryCall<R>> handler) {
        GrpcMethod.<Q, R>add(server, service, method, parser, request -> {
            var call = new UnaryCall<>(request);
            onCancel(request, call::cancel);
            request.handler(message -> {
                if (call.begin()) {
                    run(request, () -> handler.accept(message, call));
                }
            });
            request.endHandler(end -> {
                if (call.begin()) {
                    call.fail(GrpcStatus.INVALID_ARGUMENT, "The request has no message that can be read");
                }
            });
        });
    }

    /**
     * Adds a method with any number of messages in both directions.
     *
     * @param service full name of the service
     * @param handler sets the handlers of the request
     */
    static <Q extends MessageLite, R extends MessageLite> void addStreaming(GrpcServer server, String service, String method,
            Parser<Q> parser, Consumer<GrpcServerRequest<Q, R>> handler) {
        add(server, service, method, parser, handler);
    }

    private static <Q extends MessageLite, R extends MessageLite> void add(GrpcServer server, String service, String method,
            Parser<Q> parser, Consumer<GrpcServerRequest<Q, R>> handler) {
        ServiceMethod<Q, R> definition = ServiceMethod.server(ServiceName.create(service), method,
                message -> GrpcMessage.message("identity", Buffer.buffer(message.toByteArray())),
                message -> parse(parser, message.payload()));
        server.callHandler(definition, request -> {
            request.invalidMessageHandler(invalid -> {
                if (invalid instanceof MessageSizeOverflowException) {
                    end(request, GrpcStatus.RESOURCE_EXHAUSTED,
                            "The message is larger than " + GrpcEndpoint.MAX_MESSAGE_SIZE + " bytes");
                } else {
                    end(request, GrpcStatus.INVALID_ARGUMENT, "The message is not the expected one of protobuf, or not UTF-8");
                }
            });
            run(request, () -> handler.accept(request));
        });
    }

    /** Runs an action, possibly several times, when the client cancels a call or disconnects. */
    static void onCancel(GrpcServerRequest<?, ?> request, Runnable action) {
        request.errorHandler(error -> action.run());
        request.exceptionHandler(failure -> action.run());
        request.response().exceptionHandler(failure -> action.run());
    }

    private static <Q> Q parse(Parser<Q> parser, Buffer payload) {
        try {
            return parser.parseFrom(payload.getBytes());
        } catch (InvalidProtocolBufferException e) {
            throw new UncheckedIOException(new IOException(e.getMessage()));
        }
    }

    private static void run(GrpcServerRequest<?, ?> request, Runnable task) {
        try {
            task.run();
        } catch (RuntimeException e) {
            LOG.errorf(e, "gRPC call failed: method=%s", request.fullMethodName());
            end(request, GrpcStatus.INTERNAL, "Internal error");
        }
    }

    private static void end(GrpcServerRequest<?, ?> request, GrpcStatus status, String message) {
        request.response().status(status).statusMessage(message).end();
    }
}
