package dev.sluice.service.rls;

import java.util.List;

import dev.sluice.service.grpc.proto.DescriptorProto.RateLimitDescriptor;
import dev.sluice.service.grpc.proto.RlsProto.RateLimitRequest;

/** Requests of Envoy's rate limit service. */
final class Requests {

    private Requests() {
    }

    static RateLimitRequest.Builder request(String domain, RateLimitDescriptor... descriptors) {
        return RateLimitRequest.newBuilder().setDomain(domain).addAllDescriptors(List.of(descriptors));
    }

    /** @param entries keys and values in turn */
    static RateLimitDescriptor descriptor(String... entries) {
        var descriptor = RateLimitDescriptor.newBuilder();
        for (int i = 0; i < entries.length; i += 2) {
            descriptor.addEntries(RateLimitDescriptor.Entry.newBuilder().setKey(entries[i]).setValue(entries[i + 1]));
        }
        return descriptor.build();
    }
}
