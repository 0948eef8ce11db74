package dev.sluice.testing.grpc;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;

import dev.sluice.service.grpc.proto.RlsProto.RateLimitRequest;
import dev.sluice.service.grpc.proto.RlsProto.RateLimitResponse;
import io.grpc.CallOptions;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;

/** gRPC client of grpc-java, for messages of the lite runtime or any bytes. */
public final class GrpcTestClient implements AutoCloseable {

    public static final String SHOULD_RATE_LIMIT = "envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit";

    private static final long TIMEOUT_SECONDS = 60;
    private static final MethodDescriptor.Marshaller<byte[]> BYTES = new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(byte[] value) {
            return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
            try {
                return stream.readAllBytes();
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }
    };

    private final ManagedChannel channel;
    private final Metadata metadata = new Metadata();

    /** Connects to a port of this host, without TLS. */
    public GrpcTestClient(int port) {
        this(NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build());
    }

    public GrpcTestClient(ManagedChannel channel) {
        this.channel = channel;
    }

    /** Sends a token with each call. */
    public GrpcTestClient withToken(String token) {
        metadata.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + token);
        return this;
    }

    /** Calls a method with one message and returns the response; throws {@link StatusRuntimeException} for an error. */
    public byte[] call(String method, byte[] request) {
        return call(method, request, CallOptions.DEFAULT.withDeadlineAfter(TIMEOUT_SECONDS, TimeUnit.SECONDS));
    }

    public byte[] call(String method, byte[] request, CallOptions options) {
        return ClientCalls.blockingUnaryCall(
                ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(metadata)),
                descriptor(method, MethodType.UNARY), options, request);
    }

    /** Calls a method and returns the metadata that precede its response. */
    public Metadata headers(String method, byte[] request) {
        var headers = new AtomicReference<Metadata>();
        ClientCalls.blockingUnaryCall(
                ClientInterceptors.intercept(channel,
                        MetadataUtils.newCaptureMetadataInterceptor(headers, new AtomicReference<>())),
                descriptor(method, MethodType.UNARY), CallOptions.DEFAULT.withDeadlineAfter(TIMEOUT_SECONDS, TimeUnit.SECONDS),
                request);
        return headers.get();
    }

    public <R> R call(String method, MessageLite request, Parser<R> parser) {
        return parse(parser, call(method, request.toByteArray()));
    }

    public RateLimitResponse shouldRateLimit(RateLimitRequest request) {
        return call(SHOULD_RATE_LIMIT, request, RateLimitResponse.parser());
    }

    /** Returns the status of a call that must fail. */
    public Status failure(String method, byte[] request) {
        try {
            call(method, request);
        } catch (StatusRuntimeException e) {
            return e.getStatus();
        }
        throw new AssertionError("the call has not failed");
    }

    public Status failure(String method, MessageLite request) {
        return failure(method, request.toByteArray());
    }

    /** Sends messages to a method of streams, ends the request, and returns what arrives until the response ends. */
    public <R> List<R> exchange(String method, Parser<R> parser, MessageLite... requests) {
        var received = new ArrayList<R>();
        var done = new CompletableFuture<List<R>>();
        var call = ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(metadata))
                .newCall(descriptor(method, MethodType.BIDI_STREAMING), CallOptions.DEFAULT);
        var stream = ClientCalls.asyncBidiStreamingCall(call, new StreamObserver<byte[]>() {
            @Override
            public void onNext(byte[] message) {
                received.add(parse(parser, message));
            }

            @Override
            public void onError(Throwable failure) {
                done.completeExceptionally(failure);
            }

            @Override
            public void onCompleted() {
                done.complete(received);
            }
        });
        for (var request : requests) {
            stream.onNext(request.toByteArray());
        }
        stream.onCompleted();
        return done.orTimeout(TIMEOUT_SECONDS, TimeUnit.SECONDS).join();
    }

    /** Calls a method whose response is a stream; returns the call, by which it can be cancelled. */
    public <R> io.grpc.ClientCall<byte[], byte[]> watch(String method, Parser<R> parser, MessageLite request,
            java.util.function.Consumer<R> onMessage) {
        var call = ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(metadata))
                .newCall(descriptor(method, MethodType.SERVER_STREAMING), CallOptions.DEFAULT);
        ClientCalls.asyncServerStreamingCall(call, request.toByteArray(), new StreamObserver<>() {
            @Override
            public void onNext(byte[] message) {
                onMessage.accept(parse(parser, message));
            }

            @Override
            public void onError(Throwable failure) {
                // cancelled by the test
            }

            @Override
            public void onCompleted() {
                // ended by the server
            }
        });
        return call;
    }

    private static MethodDescriptor<byte[], byte[]> descriptor(String method, MethodType type) {
        return MethodDescriptor.newBuilder(BYTES, BYTES).setType(type).setFullMethodName(method).build();
    }

    private static <R> R parse(Parser<R> parser, byte[] message) {
        try {
            return parser.parseFrom(ByteString.copyFrom(message));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        channel.shutdownNow();
    }
}
