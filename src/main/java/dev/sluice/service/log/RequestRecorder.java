package dev.sluice.service.log;

import jakarta.annotation.Priority;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;

import dev.sluice.api.Decision;
import dev.sluice.api.DecisionListener;
import dev.sluice.api.DecisionMode;
import dev.sluice.api.RateLimitRequest;
import dev.sluice.policy.LimitRule;
import dev.sluice.service.config.ServiceConfig;
import dev.sluice.service.edge.ReservedPaths;
import dev.sluice.service.grpc.GrpcCallObserver;
import dev.sluice.service.log.RequestRecord.LimitResult;
import dev.sluice.service.log.RequestRecord.Outcome;
import io.quarkus.runtime.StartupEvent;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;

/**
 * Creates a {@link RequestRecord} for each request and each call of gRPC if the access log or tracing is enabled; otherwise adds no
 * route.
 */
@Singleton
@Priority(2)
class RequestRecorder implements DecisionListener, GrpcCallObserver {

    /** Before {@code RequestTracing}. */
    private static final int ORDER = -2001;
    private static final String RULE_PREFIX = "api:";

    private final boolean enabled;
    private final boolean accessLogEnabled;
    private final AccessLog accessLog;
    /** False during the warm-up, whose requests are not logged. */
    private volatile boolean serving;

    RequestRecorder(ServiceConfig settings, AccessLog accessLog) {
        this.accessLogEnabled = settings.accessLog();
        this.enabled = accessLogEnabled || settings.tracing();
        this.accessLog = accessLog;
    }

    void register(@Observes Router router) {
        if (enabled) {
            router.route().order(ORDER).handler(this::begin);
        }
    }

    /** After the warm-up. */
    void start(@Observes @Priority(3000) StartupEvent started) {
        serving = true;
    }

    private void begin(RoutingContext routing) {
        if (serving) {
            var record = RequestRecord.begin(routing);
            record.setRoute(ReservedPaths.endpoint(routing.request().path()));
            logWhenComplete(record);
        }
        routing.next();
    }

    @Override
    public void onCall(HttpServerRequest call) {
        if (enabled && serving) {
            logWhenComplete(RequestRecord.begin(call));
        }
    }

    private void logWhenComplete(RequestRecord record) {
        if (accessLogEnabled) {
            record.whenComplete(() -> accessLog.write(record));
        }
    }

    @Override
    public void onDecision(RateLimitRequest request, Decision decision, long nanos) {
        if (enabled) {
            record(request, decision.denied() ? decision.allowed() ? Outcome.DRY_RUN : Outcome.DENIED : Outcome.ALLOWED,
                    decision.mode());
        }
    }

    @Override
    public void onFailure(RateLimitRequest request, DecisionMode mode, long nanos) {
        if (enabled) {
            record(request, Outcome.ERROR, mode);
        }
    }

    private static void record(RateLimitRequest request, Outcome outcome, DecisionMode mode) {
        var record = RequestRecord.current();
        if (record != null) {
            record.onDecision(
                    new LimitResult(outcome, request.label(), request.identifier(), request.tier(), mode.value()));
            if (record.route() == null) {
                record.setRoute(endpoint(request.label()));
            }
        }
    }

    /** Returns the endpoint of a rule without its method; null for the default rule and others that are of no endpoint. */
    private static String endpoint(String rule) {
        return rule.startsWith(RULE_PREFIX) && !rule.equals(LimitRule.DEFAULT) ? rule.substring(rule.indexOf('/')) : null;
    }
}
