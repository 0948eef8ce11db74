package dev.sluice.service.grpc;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

import org.jboss.logging.Logger;

import dev.sluice.http.CredentialFailures;
import dev.sluice.identity.RejectedCredential;
import dev.sluice.identity.Sha256;
import dev.sluice.service.auth.BearerToken;
import dev.sluice.store.ThrottledLog;
import dev.sluice.text.HeaderText;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.grpc.common.GrpcStatus;

/**
 * Rejects requests that are not gRPC, calls with compressed messages, which could expand to any size, and calls without the token.
 * The health service needs no token: Kubernetes cannot send one. Used by one event loop.
 */
final class GrpcRequestGuard implements Handler<HttpServerRequest> {

    private static final Logger LOG = Logger.getLogger(GrpcRequestGuard.class);
    private static final ThrottledLog UNAUTHENTICATED = new ThrottledLog();
    private static final String GRPC = "application/grpc";
    /** Error code of HTTP/2. */
    private static final long CANCEL = 8;
    private static final String ENCODING = "grpc-encoding";
    private static final CharSequence ACCEPT_ENCODING = HttpHeaders.createOptimized("grpc-accept-encoding");
    private static final String IDENTITY = "identity";

    private final Handler<HttpServerRequest> server;
    private final Optional<String> token;
    private final Optional<String> adminToken;
    private final CredentialFailures failures;
    private final List<GrpcCallObserver> observers;
    private final long bodyTimeoutMillis;
    /** Requests that have arrived with the bytes that are being read. */
    private List<HttpServerRequest> arrived = new ArrayList<>();

    /**
     * @param token token that calls need; empty if they need none
     * @param adminToken token that is as good
     * @param bodyTimeoutMillis time for receiving a request as a whole, after which its stream is reset
     */
    GrpcRequestGuard(Handler<HttpServerRequest> server, Optional<String> token, Optional<String> adminToken,
            CredentialFailures failures, List<GrpcCallObserver> observers, long bodyTimeoutMillis) {
        this.server = server;
        this.token = token;
        this.adminToken = adminToken;
        this.failures = failures;
        this.observers = observers;
        this.bodyTimeoutMillis = bodyTimeoutMillis;
    }

    @Override
    public void handle(HttpServerRequest request) {
        if (request.version() != HttpVersion.HTTP_2) {
            request.response().setStatusCode(505).putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE)
                    .end("This port serves gRPC, which needs HTTP/2\n");
        } else if (request.method() != HttpMethod.POST) {
            request.response().setStatusCode(405).putHeader("Allow", "POST").end();
        } else if (!isGrpc(request.getHeader(HttpHeaders.CONTENT_TYPE))) {
            request.response().setStatusCode(415).end();
        } else if (!isMethodPath(request.path())) {
            reject(request, GrpcStatus.UNIMPLEMENTED, "The path must be /service/method");
        } else {
            boolean health = request.path().startsWith(HealthService.PATH_PREFIX);
            if (!health) {
                observers.forEach(observer -> observer.onCall(request));
            }
            handleCall(request, health);
        }
    }

    private void handleCall(HttpServerRequest request, boolean health) {
        var response = request.response();
        response.headersEndHandler(writing -> response.headers().set(ACCEPT_ENCODING, IDENTITY)); // Vert.x announces gzip
        if (!IDENTITY.equals(encoding(request))) {
            reject(request, GrpcStatus.UNIMPLEMENTED, "Compressed messages are not supported");
        } else if (token.isPresent() && !health && !isAuthorized(request)) {
            UNAUTHENTICATED.log(times -> LOG.warnf("gRPC calls without the API token (RATE_LIMIT_API_TOKEN) were refused, which"
                    + " proxies take for a failure: peer=%s times=%d", request.remoteAddress().hostAddress(), times));
            reject(request, GrpcStatus.UNAUTHENTICATED,
                    "This service requires the API token in the metadata: authorization: Bearer ...");
        } else {
            server.handle(request);
            limitTime(request);
        }
    }

    /** Nearly all requests arrive as a whole: those that have not when the bytes at hand are read get a timer. */
    private void limitTime(HttpServerRequest request) {
        arrived.add(request);
        if (arrived.size() == 1) {
            Vertx.currentContext().runOnContext(read -> {
                var all = arrived;
                arrived = new ArrayList<>();
                all.forEach(this::startTimer);
            });
        }
    }

    private void startTimer(HttpServerRequest request) {
        if (!request.isEnded()) {
            Vertx.currentContext().owner().setTimer(bodyTimeoutMillis, over -> {
                if (!request.isEnded() && !request.response().closed()) {
                    request.response().reset(CANCEL);
                }
            });
        }
    }

    private static boolean isGrpc(String contentType) {
        return contentType != null && contentType.startsWith(GRPC) && (contentType.length() == GRPC.length()
                || contentType.charAt(GRPC.length()) == ';' || contentType.startsWith("+proto", GRPC.length()));
    }

    private static boolean isMethodPath(String path) {
        return path != null && path.startsWith("/") && path.indexOf('/', 1) > 1;
    }

    /** Returns the encoding; sets one if there is none, without which Vert.x throws for messages that are marked as compressed. */
    private static String encoding(HttpServerRequest request) {
        var encoding = request.getHeader(ENCODING);
        if (encoding == null) {
            request.headers().set(ENCODING, IDENTITY);
            return IDENTITY;
        }
        return encoding;
    }

    private boolean isAuthorized(HttpServerRequest request) {
        var authorization = HeaderText.decode(request.getHeader(HttpHeaders.AUTHORIZATION));
        var given = BearerToken.of(authorization);
        if (given == null) {
            failures.countRejected(RejectedCredential.API_TOKEN_MISSING);
            return false;
        }
        boolean valid = Sha256.constantTimeEquals(token.orElseThrow(), given);
        boolean admin = adminToken.isPresent() && Sha256.constantTimeEquals(adminToken.get(), given);
        if (!valid && !admin) {
            failures.countRejected(RejectedCredential.API_TOKEN_UNKNOWN);
        }
        return valid || admin;
    }

    private static void reject(HttpServerRequest request, GrpcStatus status, String message) {
        request.response().putHeader(HttpHeaders.CONTENT_TYPE, GRPC).putHeader("grpc-status", status.toString())
                .putHeader("grpc-message", message).end();
    }
}
