package dev.sluice.service.grpc;

import com.google.protobuf.Duration;
import com.google.protobuf.UInt64Value;

import dev.sluice.service.grpc.proto.CoreProto;
import dev.sluice.service.grpc.proto.DescriptorProto;
import dev.sluice.service.grpc.proto.FilesProto;
import dev.sluice.service.grpc.proto.HealthProto;
import dev.sluice.service.grpc.proto.ReflectionProto;
import dev.sluice.service.grpc.proto.RlsProto;
import io.quarkus.runtime.annotations.RegisterForReflection;

/**
 * Registers the fields of all messages for reflection in a native executable: the lite runtime of protobuf reads and writes them by
 * name. Those of {@code dynamic_metadata} are neither read nor written.
 */
@RegisterForReflection(methods = false, ignoreNested = true, targets = {
        CoreProto.HeaderValue.class,
        DescriptorProto.RateLimitDescriptor.class, DescriptorProto.RateLimitDescriptor.Entry.class,
        DescriptorProto.RateLimitDescriptor.RateLimitOverride.class,
        FilesProto.File.class, FilesProto.FileSet.class, FilesProto.Named.class,
        HealthProto.HealthCheckRequest.class, HealthProto.HealthCheckResponse.class,
        ReflectionProto.ErrorResponse.class, ReflectionProto.ExtensionNumberResponse.class,
        ReflectionProto.ExtensionRequest.class, ReflectionProto.FileDescriptorResponse.class,
        ReflectionProto.ListServiceResponse.class, ReflectionProto.ServerReflectionRequest.class,
        ReflectionProto.ServerReflectionResponse.class, ReflectionProto.ServiceResponse.class,
        RlsProto.RateLimitRequest.class, RlsProto.RateLimitResponse.class,
        RlsProto.RateLimitResponse.DescriptorStatus.class, RlsProto.RateLimitResponse.RateLimit.class,
        Duration.class, UInt64Value.class})
final class MessageReflection {

    private MessageReflection() {
    }
}
