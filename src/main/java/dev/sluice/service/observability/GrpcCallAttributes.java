package dev.sluice.service.observability;

import java.util.Set;

import dev.sluice.service.log.RequestRecord;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.StatusCode;

/**
 * Attributes of the span of a call of gRPC, by <a href="https://opentelemetry.io/docs/specs/semconv/rpc/grpc/">OpenTelemetry's
 * conventions</a>.
 */
final class GrpcCallAttributes {

    private static final AttributeKey<String> SYSTEM = AttributeKey.stringKey("rpc.system");
    private static final AttributeKey<String> SERVICE = AttributeKey.stringKey("rpc.service");
    private static final AttributeKey<String> METHOD = AttributeKey.stringKey("rpc.method");
    private static final AttributeKey<Long> STATUS = AttributeKey.longKey("rpc.grpc.status_code");
    /** UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS; the other ones are errors of the client. */
    private static final Set<String> ERRORS = Set.of("2", "4", "12", "13", "14", "15");
    /** UNIMPLEMENTED, UNAUTHENTICATED: the method may not exist. */
    private static final Set<String> WITHOUT_METHOD = Set.of("12", "16");

    private GrpcCallAttributes() {
    }

    /**
     * Sets the attributes and the name of the span.
     *
     * @param path {@code /service/method}; used only if there is such a method, so that names of spans are bounded
     */
    static void set(Span span, String path, RequestRecord record) {
        span.setAttribute(SYSTEM, "grpc");
        var status = record.grpcStatus();
        if (record.isAborted() || status == null || ERRORS.contains(status)) {
            span.setStatus(StatusCode.ERROR);
        }
        if (status == null) {
            return;
        }
        span.setAttribute(STATUS, Long.parseLong(status));
        if (!WITHOUT_METHOD.contains(status)) {
            int slash = path.lastIndexOf('/');
            span.setAttribute(SERVICE, path.substring(1, slash)).setAttribute(METHOD, path.substring(slash + 1))
                    .updateName(path.substring(1));
        }
    }
}
