package dev.sluice.service.observability;

import java.util.Set;
import java.util.function.Consumer;

import jakarta.annotation.Priority;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;

import org.jspecify.annotations.Nullable;

import dev.sluice.api.Decision;
import dev.sluice.api.DecisionListener;
import dev.sluice.api.DecisionMode;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.service.config.ServiceConfig;
import dev.sluice.service.grpc.GrpcCallObserver;
import dev.sluice.service.log.RequestRecord;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;

/**
 * Exports each request and each call of gRPC as a span, with its decision as an event, if tracing is enabled. Spans contain no user name, address,
 * path or header, only names of rules, endpoints and models. The span of a model call ends when the call is settled, with its
 * tokens and cost.
 */
@Singleton
@Priority(1)
class RequestTracing implements DecisionListener, GrpcCallObserver {

    static final String EVENT = "rate_limit.decision";

    /** After {@code RequestRecorder}, before {@code RequestFramingGuard}. */
    private static final int ORDER = -2000;
    private static final Set<String> METHODS = Set.of("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE",
            "CONNECT");
    private static final AttributeKey<String> METHOD = AttributeKey.stringKey("http.request.method");
    private static final String OTHER_METHOD = "_OTHER";
    private static final String GRPC = "gRPC";
    private static final AttributeKey<String> ROUTE = AttributeKey.stringKey("http.route");
    private static final AttributeKey<Long> STATUS = AttributeKey.longKey("http.response.status_code");
    private static final AttributeKey<String> RESOURCE = AttributeKey.stringKey("rate_limit.resource");
    private static final AttributeKey<String> OUTCOME = AttributeKey.stringKey("rate_limit.outcome");
    private static final AttributeKey<String> STORE = AttributeKey.stringKey("rate_limit.store");
    private static final AttributeKey<String> LEVEL = AttributeKey.stringKey("rate_limit.level");
    private static final Set<String> LEVELS = Set.of("key", "user", "team", "org");
    private static final TextMapGetter<MultiMap> HEADERS = new TextMapGetter<>() {

        @Override
        public Iterable<String> keys(MultiMap headers) {
            return headers.names();
        }

        @Override
        public String get(MultiMap headers, String name) {
            return headers.get(name);
        }
    };

    private final boolean enabled;
    private final Tracer tracer;

    RequestTracing(ServiceConfig settings, OpenTelemetry telemetry) {
        this.enabled = settings.tracing();
        this.tracer = telemetry.getTracer("dev.sluice");
    }

    void register(@Observes Router router) {
        if (enabled) {
            router.route().order(ORDER).handler(this::begin);
        }
    }

    private void begin(RoutingContext routing) {
        var record = RequestRecord.of(routing);
        if (record == null) { // the service is starting
            routing.next();
            return;
        }
        var request = routing.request();
        var method = METHODS.contains(request.method().name()) ? request.method().name() : OTHER_METHOD;
        start(record, request, name(method), span -> end(span, method, routing, record)).setAttribute(METHOD, method);
        routing.next();
    }

    @Override
    public void onCall(HttpServerRequest call) {
        var record = enabled ? RequestRecord.current() : null;
        if (record != null) {
            start(record, call, GRPC, span -> GrpcCallAttributes.set(span, call.path(), record));
        }
    }

    /** Starts the span of a request; it ends, after the attributes of the response are set, when the request is complete. */
    private Span start(RequestRecord record, HttpServerRequest request, String name, Consumer<Span> atEnd) {
        var propagator = W3CTraceContextPropagator.getInstance();
        var parent = propagator.extract(Context.root(), request.headers(), HEADERS);
        var span = tracer.spanBuilder(name).setSpanKind(SpanKind.SERVER).setParent(parent).startSpan();
        var context = parent.with(span);
        // Downstream services find this span as their parent.
        propagator.inject(context, request.headers(), MultiMap::set);
        var scope = context.makeCurrent();
        record.setTraceId(span.getSpanContext().getTraceId());
        record.whenComplete(() -> {
            atEnd.accept(span);
            span.end();
            scope.close();
        });
        return span;
    }

    private static void end(Span span, String method, RoutingContext routing, RequestRecord record) {
        int status = routing.response().getStatusCode();
        span.setAttribute(STATUS, (long) status);
        if (record.isAborted() || status >= 500) {
            span.setStatus(StatusCode.ERROR);
        }
        if (record.route() != null) {
            span.setAttribute(ROUTE, record.route());
            span.updateName(name(method) + ' ' + record.route());
        }
        if (record.modelCall() != null) {
            ModelCallAttributes.set(span, record.modelCall(), record.modelUsage());
        }
    }

    private static String name(String method) {
        return OTHER_METHOD.equals(method) ? "HTTP" : method;
    }

    @Override
    public void onDecision(RateLimitRequest request, Decision decision, long nanos) {
        addEvent(request, decision.denied() ? "denied" : "allowed", decision.mode(), decision);
    }

    @Override
    public void onFailure(RateLimitRequest request, DecisionMode mode, long nanos) {
        addEvent(request, "error", mode, null);
    }

    private void addEvent(RateLimitRequest request, String outcome, DecisionMode mode, @Nullable Decision decision) {
        if (enabled) {
            var attributes = Attributes.builder().put(RESOURCE, request.label()).put(OUTCOME, outcome).put(STORE, mode.value());
            if (decision != null && decision.denied()) {
                decision.mostRestrictive().map(quota -> levelOf(quota.identifier()))
                        .ifPresent(level -> attributes.put(LEVEL, level));
            }
            Span.current().addEvent(EVENT, attributes.build());
        }
    }

    /** Returns the kind of a level of a chain, of which {@code team:a/user:b} has the one of a member; null for other identifiers. */
    static @Nullable String levelOf(String identifier) {
        int colon = identifier.indexOf(':');
        var kind = colon < 0 ? "" : identifier.substring(0, colon);
        return !LEVELS.contains(kind) ? null : identifier.indexOf('/', colon) > 0 ? "member" : kind;
    }
}
