package dev.sluice.service.llm;

import java.util.Locale;
import java.util.function.Supplier;

import dev.sluice.api.Decision;
import dev.sluice.llm.limit.AdmittedCall;
import dev.sluice.llm.limit.LlmCallEstimate;
import dev.sluice.llm.protocol.DeploymentPath;
import dev.sluice.llm.protocol.LlmRequest;
import dev.sluice.llm.protocol.LlmRequestParser;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderOperation;
import dev.sluice.llm.protocol.ProviderOperation.Kind;
import dev.sluice.llm.protocol.ProviderOperation.Shape;
import dev.sluice.llm.protocol.ProviderType;
import dev.sluice.service.llm.LlmCallerResolver.LlmCaller;
import dev.sluice.service.llm.models.ModelListFilter;
import dev.sluice.service.proxy.ClientRequest;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.vertx.UniHelper;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;

/**
 * Admission of one request to the LLM gateway: resolves its caller, checks its path, reads its body and reserves what it may use. Its
 * steps are declared in the order in which they run, all on the event loop of the request.
 */
final class CallAdmission {

    /** Prefix of the paths of Gemini's uploads, in front of the version. */
    private static final String UPLOAD = "/upload";

    private final LlmGatewayServices services;
    private final RoutingContext context;
    private final HttpServerRequest request;
    private final HttpServerResponse response;
    private final Provider provider;
    /** Path from the version on. */
    private final String path;
    /** Path of the operation at a provider without deployments. */
    private final String operationPath;
    /** Null unless the path is that of a deployment. */
    private final DeploymentPath deployment;
    private final CallRecorder recorder;
    private ProviderOperation operation;
    private LlmCaller caller;
    /** Null if the body is not parsed but streamed. */
    private LlmRequest parsed;
    /** Null if the call is not counted. */
    private AdmittedCall admitted;

    CallAdmission(LlmGatewayServices services, RoutingContext context, Provider provider, String path) {
        this.services = services;
        this.context = context;
        this.request = context.request();
        this.response = context.response();
        this.provider = provider;
        this.path = path;
        this.deployment = DeploymentPath.parse(provider, path);
        var method = request.method().name();
        this.operation = deployment == null
                ? ProviderOperation.of(provider, method, path)
                : deployment.operation(provider, method);
        this.operationPath = deployment == null ? path : deployment.path();
        this.recorder = CallRecorder.of(context, provider, operation, operationPath);
    }

    /** Completes when the request may be forwarded; fails if it is rejected. What is reserved then is known by {@link #admitted}. */
    Future<Void> admit() {
        try {
            checkVersion();
        } catch (CallRejectedException e) {
            return Future.failedFuture(e);
        }
        return services.callerResolver().resolve(context, provider).compose(resolved -> {
            caller = resolved;
            requireClient();
            checkRequest();
            return readBody();
        }).compose(read -> reserve()).compose(reserved -> checkOwner());
    }

    LlmCaller caller() {
        return caller;
    }

    /** Returns the caller's identifier, in whose windows the call is counted. */
    String identifier() {
        return caller.caller().identity().identifier();
    }

    ProviderOperation operation() {
        return operation;
    }

    String operationPath() {
        return operationPath;
    }

    /** Returns the parsed request; null if the body is not parsed but streamed. */
    LlmRequest parsed() {
        return parsed;
    }

    /** Returns the call with its reservation; null if it is not counted, or has not been admitted. */
    AdmittedCall admitted() {
        return admitted;
    }

    CallRecorder recorder() {
        return recorder;
    }

    /** Releases the parsed body. */
    void releaseBody() {
        parsed = null;
    }

    private void checkVersion() {
        if (deployment != null) {
            return;
        }
        boolean upload = provider.is(ProviderType.GEMINI) && path.startsWith(UPLOAD + '/');
        var versioned = upload ? path.substring(UPLOAD.length()) : path;
        var version = provider.version(versioned);
        if (version == null) {
            throw new CallRejectedException(404,
                    "Unknown path: paths of this provider must begin with /" + provider.id() + provider.version());
        }
        if (provider.version(versioned.substring(version.length())) != null) {
            throw new CallRejectedException(404,
                    "Unknown path: the version is there twice; the base URL of this client must end with /" + provider.id()
                            + ", because the client adds " + version);
        }
    }

    private void checkRequest() {
        if (caller.key() == null && !services.providers().isKeyless(provider)) {
            throw new CallRejectedException(401, "No API key is configured for " + provider.id() + ": set RATE_LIMIT_LLM_"
                    + provider.id().toUpperCase(Locale.ROOT).replace('-', '_') + "_API_KEY");
        }
        if ((operation.kind() == Kind.UNKNOWN || operation.shape().isRestricted()) && !caller.ownKey()
                && !services.paths().isOpen(provider, path)) {
            var post = ProviderOperation.of(provider, "POST", path);
            if (post.kind() != Kind.UNKNOWN && !post.shape().isRestricted()) {
                throw new CallRejectedException(403, "This path takes POST");
            }
            throw new CallRejectedException(403,
                    "This path is not allowed with Sluice's key: add it to rate-limit.llm." + provider.id()
                            + ".paths");
        }
        if (!ProviderQuery.isDecodable(request.query())) { // a provider could read parameters that are not seen here
            throw new CallRejectedException(400, "A percent sign in the query must be followed by two hexadecimal digits");
        }
        if (operation.kind() == Kind.UNKNOWN && ProviderPaths.spellsOperation(provider, request.method().name(), path)) {
            throw new CallRejectedException(400,
                    "This path is another spelling of a known one, which would not be counted: write it without"
                            + " percent-encoding, parameters and a slash at the end");
        }
        if (ProviderPaths.escapesPath(path)) {
            throw new CallRejectedException(400, "The path must not contain empty or dot segments");
        }
        if (operation.kind() == Kind.UNKNOWN && mayUseModel() && !allows("")) {
            throw CallRejectedException.ofModel(
                    "The model of a call to this path is not known, and only some may be called (" + modelList("") + ")");
        }
        var described = operation.kind() == Kind.FREE && isRead() ? ModelListFilter.described(path) : null;
        if (described != null) {
            requireAllowed(described);
        }
        if (ProviderHeaders.changesMethodOrHidesUsage(request, provider, caller)) {
            throw new CallRejectedException(400,
                    "Query parameters and field masks must not change the method or hide the usage");
        }
    }

    /** Returns whether a request to an unknown path may call a model: unless it only reads or deletes, over HTTP. */
    private boolean mayUseModel() {
        return !isRead() && request.method() != HttpMethod.DELETE || ClientRequest.isWebSocketHandshake(request);
    }

    /**
     * Returns whether the body of a request is parsed: of a call, of what continues a response, and of others if only some models may be
     * called.
     */
    private boolean parsesBody() {
        return operation.kind() == Kind.CALL || operation.kind() == Kind.FREE && request.method() == HttpMethod.POST
                && (operation.shape() == Shape.RESPONSES || !allows(""));
    }

    /** Reads and parses the body of a call, which determines the model, what it continues, and whether the response is streamed. */
    private Future<Void> readBody() {
        if (!parsesBody()) {
            return Future.succeededFuture();
        }
        var requested = operation;
        var types = request.headers().getAll(HttpHeaders.CONTENT_TYPE);
        var contentType = types.size() == 1 ? types.get(0) : "";
        return services.bodyBuffer()
                .read(context, read -> LlmRequestParser.parse(provider, requested, contentType, read))
                .map(request -> {
                    onParsed(request);
                    return null;
                });
    }

    private void onParsed(LlmRequest request) {
        parsed = request;
        var byDefault = request.model().isEmpty() && provider.equals(Provider.OPENAI) ? operation.defaultModel() : "";
        operation = new ProviderOperation(operation.kind(), operation.shape(), request.model(), request.streaming());
        if (operation.kind() == Kind.CALL) {
            recorder.onCall(operation);
        }
        requireAllowed(byDefault.isEmpty() ? request.model() : byDefault);
        request.furtherModels().forEach(this::requireAllowed);
        request.toolModels().forEach(this::requireAllowed);
        requireClient();
    }

    private void requireAllowed(String model) {
        if (!allows(model)) {
            throw CallRejectedException.ofModel(
                    model.isEmpty()
                            ? "The request must name each model, because only some may be called (" + modelList(model) + ")"
                            : "This model may not be called (" + modelList(model) + ")");
        }
    }

    /** Returns whether the caller may call a model: by the provider's list, and by that of each of the caller's levels. */
    boolean allows(String model) {
        return services.limiter().allows(provider, model) && caller.caller().identity().chain().allowsModel(model);
    }

    /** Names the list that does not contain a model. */
    private String modelList(String model) {
        return services.limiter().allows(provider, model)
                ? "models of the key, user, team or organisation"
                : "rate-limit.llm." + provider.id() + ".models";
    }

    /** Returns whether the response lists models, of which only some may be called. */
    boolean filtersModels() {
        return operation.kind() == Kind.FREE && isRead() && ModelListFilter.isList(path) && !allows("");
    }

    private boolean isRead() {
        return request.method() == HttpMethod.GET || request.method() == HttpMethod.HEAD;
    }

    /** Sluice's key would open the responses of all callers. */
    private Future<Void> checkOwner() {
        return caller.ownKey()
                ? Future.succeededFuture()
                : services.deferredCalls().checkOwner(identifier(), provider, operation, operationPath, parsed)
                        .map(own -> {
                            requireClient();
                            return null;
                        });
    }

    private Future<Void> reserve() {
        var identifier = identifier();
        var tier = caller.caller().tier();
        if (operation.kind() == Kind.FREE || operation.kind() == Kind.STORED) {
            return decideWithoutUsage(caller.unproven()
                    ? services.unprovenLimiter().checkFreeCall(provider, identifier, tier)
                    : services.limiter().checkFreeCall(provider, identifier, tier));
        }
        if (operation.kind() == Kind.UNKNOWN && request.method() != HttpMethod.POST) {
            return caller.unproven()
                    ? decideWithoutUsage(services.unprovenLimiter().checkOther(provider, identifier, tier))
                    : Future.succeededFuture();
        }
        Promise<AdmittedCall> decided = Promise.promise();
        var estimate = LlmCallEstimate.of(provider, identifier, tier, parsed)
                .withChain(caller.caller().identity().chain());
        if (caller.unproven()) {
            services.unprovenLimiter().admit(estimate, decided::complete, decided::fail);
        } else {
            services.limiter().admit(estimate, decided::complete, decided::fail);
        }
        return decided.future().map(call -> {
            admitted = call.decision().allowed() ? call : null;
            onDecision(call.decision(), () -> CallDenial.of(call, caller.unproven()));
            return null;
        });
    }

    private Future<Void> decideWithoutUsage(Uni<Decision> check) {
        return UniHelper.toFuture(check).map(decision -> {
            onDecision(decision, () -> CallDenial.ofFreeCall(provider, decision, caller.unproven()));
            return null;
        });
    }

    private void onDecision(Decision decision, Supplier<CallDenial> denial) {
        services.rateLimitHeaders().write(response.headers(), decision);
        if (!decision.allowed()) {
            throw CallRejectedException.of(denial.get());
        }
        requireClient();
    }

    /** Fails if the client has disconnected or the request has been rejected during an asynchronous step. */
    private void requireClient() {
        if (response.closed() || response.ended()) {
            throw new ClientDisconnectedException();
        }
    }
}
