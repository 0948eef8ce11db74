package dev.sluice.service.authz;

import jakarta.inject.Singleton;

import dev.sluice.http.AdmissionResult;
import dev.sluice.http.ErrorResponse;
import dev.sluice.service.edge.Cors;
import dev.sluice.service.gateway.UpstreamHeaders;
import dev.sluice.service.grpc.GrpcMethod;
import dev.sluice.service.grpc.GrpcService;
import dev.sluice.service.grpc.UnaryCall;
import dev.sluice.service.grpc.proto.ExternalAuthProto.CheckRequest;
import dev.sluice.service.grpc.proto.ExternalAuthProto.CheckResponse;
import io.vertx.core.MultiMap;
import io.vertx.grpc.common.GrpcStatus;
import io.vertx.grpc.server.GrpcServer;

/**
 * Envoy's authorization service, version 3 (ext_authz). Every decision is a response, also a 503 of the fallback {@code closed}:
 * Envoy takes an error of gRPC for a failure of the service, and lets the request pass if {@code failure_mode_allow} is set. Errors
 * are only requests that Envoy's configuration makes invalid, and internal ones.
 *
 * @see <a href="https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/auth/v3/external_auth.proto">Authorization Service</a>
 */
@Singleton
class EnvoyAuthorizationService implements GrpcService {

    private static final String NAME = "envoy.service.auth.v3.Authorization";
    private static final int INTERNAL_SERVER_ERROR = 500;

    private final ForwardedRequestLimiter limiter;
    private final CheckRequestReader reader;
    private final UpstreamHeaders upstreamHeaders;
    private final Cors cors;

    EnvoyAuthorizationService(ForwardedRequestLimiter limiter, CheckRequestReader reader, UpstreamHeaders upstreamHeaders,
            Cors cors) {
        this.limiter = limiter;
        this.reader = reader;
        this.upstreamHeaders = upstreamHeaders;
        this.cors = cors;
    }

    @Override
    public void addTo(GrpcServer server) {
        GrpcMethod.addUnary(server, NAME, "Check", CheckRequest.parser(), this::check);
    }

    private void check(CheckRequest message, UnaryCall<CheckResponse> call) {
        ForwardedRequest request;
        try {
            var target = reader.readTarget(message);
            if (target.error() != null) { // the client's fault: an error of gRPC would let it pass
                call.complete(denied(target.error(), MultiMap.caseInsensitiveMultiMap(), reader.readHeaders(message)));
                return;
            }
            request = reader.read(message, target, call.remoteAddress());
        } catch (InvalidCheckException e) {
            call.fail(GrpcStatus.INVALID_ARGUMENT, e.getMessage());
            return;
        }
        var responseHeaders = MultiMap.caseInsensitiveMultiMap();
        limiter.admit(request, responseHeaders, result -> respond(call, request, result, responseHeaders));
    }

    private void respond(UnaryCall<CheckResponse> call, ForwardedRequest request, AdmissionResult result,
            MultiMap responseHeaders) {
        if (!result.isDenied()) {
            call.complete(allowed(request, result, responseHeaders));
        } else if (result.error().status() == INTERNAL_SERVER_ERROR) {
            call.fail(GrpcStatus.INTERNAL, "Internal error");
        } else {
            call.complete(denied(result.error(), responseHeaders, request.headers()));
        }
    }

    private CheckResponse allowed(ForwardedRequest request, AdmissionResult result, MultiMap responseHeaders) {
        var identity = MultiMap.caseInsensitiveMultiMap();
        UpstreamHeaders.putIdentity(identity, result.caller());
        return CheckResponses.allowed(identity, upstreamHeaders.namesToRemove(request.headers(), result.caller()),
                responseHeaders);
    }

    private CheckResponse denied(ErrorResponse error, MultiMap responseHeaders, MultiMap requestHeaders) {
        cors.addTo(requestHeaders, responseHeaders);
        return CheckResponses.denied(error, responseHeaders);
    }
}
