package dev.sluice.service.authz;

import java.util.Locale;
import java.util.function.Consumer;

import dev.sluice.http.ErrorResponse;
import dev.sluice.service.edge.SecurityHeaders;
import dev.sluice.service.grpc.proto.CoreProto.HeaderValue;
import dev.sluice.service.grpc.proto.CoreProto.HeaderValueOption;
import dev.sluice.service.grpc.proto.CoreProto.HeaderValueOption.HeaderAppendAction;
import dev.sluice.service.grpc.proto.ExternalAuthProto.CheckResponse;
import dev.sluice.service.grpc.proto.ExternalAuthProto.DeniedHttpResponse;
import dev.sluice.service.grpc.proto.ExternalAuthProto.OkHttpResponse;
import dev.sluice.service.grpc.proto.HttpStatusProto.HttpStatus;
import dev.sluice.service.grpc.proto.StatusProto.Status;
import io.vertx.core.MultiMap;
import io.vertx.grpc.common.GrpcStatus;

/** Builds the responses of Envoy's authorization service. */
final class CheckResponses {

    private CheckResponses() {
    }

    /**
     * Allows a request.
     *
     * @param identity fields that replace those of the request
     * @param removed names of fields that are removed from the request
     * @param rateLimit fields that replace those of the upstream's response
     */
    static CheckResponse allowed(MultiMap identity, Iterable<String> removed, MultiMap rateLimit) {
        var ok = OkHttpResponse.newBuilder().addAllHeadersToRemove(removed);
        forEach(identity, ok::addHeaders);
        forEach(rateLimit, ok::addResponseHeadersToAdd);
        return CheckResponse.newBuilder().setStatus(Status.newBuilder().setCode(GrpcStatus.OK.code)).setOkResponse(ok).build();
    }

    /**
     * Denies a request. The response to the client is the same as that of the HTTP form.
     *
     * @param headers rate-limit headers; the others are added
     */
    static CheckResponse denied(ErrorResponse error, MultiMap headers) {
        SecurityHeaders.put(headers);
        error.putFields(headers, ErrorResponse.JSON);
        var denied = DeniedHttpResponse.newBuilder().setStatus(HttpStatus.newBuilder().setCodeValue(error.status()))
                .setBody(error.body(ErrorResponse.JSON));
        forEach(headers, denied::addHeaders);
        return CheckResponse.newBuilder()
                .setStatus(Status.newBuilder().setCode(status(error.status()).code).setMessage(error.message()))
                .setDeniedResponse(denied).build();
    }

    private static GrpcStatus status(int http) {
        return switch (http) {
            case 400 -> GrpcStatus.INVALID_ARGUMENT;
            case 401 -> GrpcStatus.UNAUTHENTICATED;
            case 429 -> GrpcStatus.RESOURCE_EXHAUSTED;
            case 503 -> GrpcStatus.UNAVAILABLE;
            default -> GrpcStatus.PERMISSION_DENIED;
        };
    }

    /** Envoy replaces a field of the same name; so it did before it knew the action, because nothing asks it to append. */
    private static void forEach(MultiMap fields, Consumer<HeaderValueOption> target) {
        for (var field : fields) {
            target.accept(HeaderValueOption.newBuilder()
                    .setHeader(
                            HeaderValue.newBuilder().setKey(field.getKey().toLowerCase(Locale.ROOT)).setValue(field.getValue()))
                    .setAppendAction(HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD).build());
        }
    }
}
