package dev.sluice.service.grpc;

import java.util.List;
import java.util.Set;

import jakarta.inject.Singleton;

import org.jboss.logging.Logger;

import com.google.protobuf.ByteString;

import dev.sluice.service.grpc.proto.ReflectionProto.ErrorResponse;
import dev.sluice.service.grpc.proto.ReflectionProto.FileDescriptorResponse;
import dev.sluice.service.grpc.proto.ReflectionProto.ListServiceResponse;
import dev.sluice.service.grpc.proto.ReflectionProto.ServerReflectionRequest;
import dev.sluice.service.grpc.proto.ReflectionProto.ServerReflectionResponse;
import dev.sluice.service.grpc.proto.ReflectionProto.ServiceResponse;
import io.vertx.grpc.common.GrpcStatus;
import io.vertx.grpc.server.GrpcServer;
import io.vertx.grpc.server.GrpcServerRequest;

/**
 * Server reflection of gRPC, by which grpcurl finds services. The messages of v1 and v1alpha are the same.
 */
@Singleton
class ReflectionService implements GrpcService {

    private static final List<String> NAMES = List.of("grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection");

    private static final Logger LOG = Logger.getLogger(ReflectionService.class);

    private final ServiceDescriptors descriptors;

    ReflectionService(ServiceDescriptors descriptors) {
        this.descriptors = descriptors;
    }

    @Override
    public void addTo(GrpcServer server) {
        for (var name : NAMES) {
            GrpcMethod.<ServerReflectionRequest, ServerReflectionResponse>addStreaming(server, name, "ServerReflectionInfo",
                    ServerReflectionRequest.parser(), this::serve);
        }
    }

    private void serve(GrpcServerRequest<ServerReflectionRequest, ServerReflectionResponse> request) {
        var response = request.response();
        GrpcMethod.onCancel(request, () -> LOG.debug("Reflection broken off by the client"));
        request.handler(message -> {
            response.write(respond(message));
            if (response.writeQueueFull()) {
                request.pause();
                response.drainHandler(drained -> request.resume());
            }
        });
        request.endHandler(end -> response.end());
    }

    private ServerReflectionResponse respond(ServerReflectionRequest request) {
        var response = ServerReflectionResponse.newBuilder().setValidHost(request.getHost()).setOriginalRequest(request);
        switch (request.getMessageRequestCase()) {
            case LIST_SERVICES -> {
                var services = ListServiceResponse.newBuilder();
                descriptors.services().forEach(name -> services.addService(ServiceResponse.newBuilder().setName(name)));
                response.setListServicesResponse(services);
            }
            case FILE_BY_FILENAME -> addFiles(response, descriptors.file(request.getFileByFilename()));
            case FILE_CONTAINING_SYMBOL -> addFiles(response, descriptors.fileOf(request.getFileContainingSymbol()));
            case FILE_CONTAINING_EXTENSION, ALL_EXTENSION_NUMBERS_OF_TYPE -> addError(response, GrpcStatus.NOT_FOUND,
                    "There are no extensions");
            default -> addError(response, GrpcStatus.INVALID_ARGUMENT, "The request asks for nothing");
        }
        return response.build();
    }

    private static void addFiles(ServerReflectionResponse.Builder response, Set<ByteString> files) {
        if (files.isEmpty()) {
            addError(response, GrpcStatus.NOT_FOUND, "No such file or symbol");
        } else {
            response.setFileDescriptorResponse(FileDescriptorResponse.newBuilder().addAllFileDescriptorProto(files));
        }
    }

    private static void addError(ServerReflectionResponse.Builder response, GrpcStatus status, String message) {
        response.setErrorResponse(ErrorResponse.newBuilder().setErrorCode(status.code).setErrorMessage(message));
    }
}
