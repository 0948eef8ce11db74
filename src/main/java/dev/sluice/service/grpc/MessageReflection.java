package dev.sluice.service.grpc;

import com.google.protobuf.Duration;
import com.google.protobuf.UInt64Value;

import dev.sluice.service.grpc.proto.AddressProto;
import dev.sluice.service.grpc.proto.AttributeContextProto.AttributeContext;
import dev.sluice.service.grpc.proto.CoreProto;
import dev.sluice.service.grpc.proto.DescriptorProto;
import dev.sluice.service.grpc.proto.ExternalAuthProto;
import dev.sluice.service.grpc.proto.FilesProto;
import dev.sluice.service.grpc.proto.HealthProto;
import dev.sluice.service.grpc.proto.HttpStatusProto;
import dev.sluice.service.grpc.proto.ReflectionProto;
import dev.sluice.service.grpc.proto.RlsProto;
import dev.sluice.service.grpc.proto.StatusProto;
import io.quarkus.runtime.annotations.RegisterForReflection;

/**
 * Registers the fields of all messages for reflection in a native executable: the lite runtime of protobuf reads and writes them by
 * name. Those of {@code dynamic_metadata} are neither read nor written.
 */
@RegisterForReflection(methods = false, ignoreNested = true, targets = {
        AddressProto.Address.class, AddressProto.SocketAddress.class,
        AttributeContext.class, AttributeContext.Peer.class, AttributeContext.Request.class, AttributeContext.HttpRequest.class,
        CoreProto.HeaderValue.class, CoreProto.HeaderValueOption.class, CoreProto.HeaderMap.class,
        DescriptorProto.RateLimitDescriptor.class, DescriptorProto.RateLimitDescriptor.Entry.class,
        DescriptorProto.RateLimitDescriptor.RateLimitOverride.class,
        ExternalAuthProto.CheckRequest.class, ExternalAuthProto.CheckResponse.class,
        ExternalAuthProto.DeniedHttpResponse.class, ExternalAuthProto.OkHttpResponse.class,
        FilesProto.File.class, FilesProto.FileSet.class, FilesProto.Named.class,
        HealthProto.HealthCheckRequest.class, HealthProto.HealthCheckResponse.class,
        HttpStatusProto.HttpStatus.class,
        ReflectionProto.ErrorResponse.class, ReflectionProto.ExtensionNumberResponse.class,
        ReflectionProto.ExtensionRequest.class, ReflectionProto.FileDescriptorResponse.class,
        ReflectionProto.ListServiceResponse.class, ReflectionProto.ServerReflectionRequest.class,
        ReflectionProto.ServerReflectionResponse.class, ReflectionProto.ServiceResponse.class,
        RlsProto.RateLimitRequest.class, RlsProto.RateLimitResponse.class,
        RlsProto.RateLimitResponse.DescriptorStatus.class, RlsProto.RateLimitResponse.RateLimit.class,
        StatusProto.Status.class,
        Duration.class, UInt64Value.class})
final class MessageReflection {

    private MessageReflection() {
    }
}
