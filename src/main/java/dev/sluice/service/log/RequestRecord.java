package dev.sluice.service.log;

import java.util.ArrayList;
import java.util.List;

import io.smallrye.common.vertx.VertxContext;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;

/**
 * Facts about one request, collected until it ends, for its line in the access log and its span. Exists only if one of them is enabled
 * ({@link RequestRecorder}). Confined to the event loop of the request.
 */
public final class RequestRecord {

    private static final String KEY = RequestRecord.class.getName();
    private static final String GRPC_STATUS = "grpc-status";

    /** Result of the limits of a request, in the order of their weight. */
    public enum Outcome {
        ALLOWED("allowed"), DRY_RUN("dry-run"), DENIED("denied"), ERROR("error");

        private final String value;

        Outcome(String value) {
            this.value = value;
        }

        /** Returns the outcome as it is logged. */
        public String value() {
            return value;
        }
    }

    /**
     * A decision of a limit.
     *
     * @param rule name of the rule
     * @param store where it was decided
     */
    record LimitResult(Outcome outcome, String rule, String identifier, String tier, String store) {
    }

    /**
     * Call of a model.
     *
     * @param provider name of the provider in Sluice
     * @param operation name of the operation in OpenTelemetry's conventions: {@code chat}
     * @param model the model in the request; empty if it names none
     */
    public record ModelCall(String provider, String operation, String model) {
    }

    /**
     * Usage of a call that has been settled.
     *
     * @param model the model in the response; null if it names none
     * @param picodollars cost; negative if the model has no price
     */
    public record ModelUsage(String model, long inputTokens, long outputTokens, long picodollars) {
    }

    private final HttpServerRequest request;
    private final boolean isGrpc;
    private final long startNanos = System.nanoTime();
    private final List<Runnable> listeners = new ArrayList<>(2);
    private String route;
    private String traceId;
    /** Null if nothing was decided. */
    private LimitResult limit;
    private String upstream;
    private long upstreamNanos = -1;
    private ModelCall modelCall;
    private ModelUsage modelUsage;
    private boolean modelCallPending;
    private boolean responseEnded;
    private boolean aborted;
    private boolean complete;

    private RequestRecord(HttpServerRequest request, boolean isGrpc) {
        this.request = request;
        this.isGrpc = isGrpc;
    }

    /** Begins to record a request. Must be called in its Vert.x context. */
    static RequestRecord begin(RoutingContext routing) {
        var record = new RequestRecord(routing.request(), false);
        routing.put(KEY, record);
        record.bind();
        routing.addEndHandler(end -> record.onResponseEnd(end.failed()));
        return record;
    }

    /** Begins to record a call of gRPC. Must be called in its Vert.x context. */
    static RequestRecord begin(HttpServerRequest call) {
        var record = new RequestRecord(call, true);
        record.bind();
        call.response().endHandler(end -> record.onResponseEnd(!call.response().ended()));
        call.response().closeHandler(closed -> record.onResponseEnd(!call.response().ended()));
        return record;
    }

    private void bind() {
        var context = Vertx.currentContext();
        if (context != null && VertxContext.isDuplicatedContext(context)) {
            context.putLocal(KEY, this);
        }
    }

    /** Returns the record of a request; null if requests are not recorded. */
    public static RequestRecord of(RoutingContext routing) {
        return routing.get(KEY);
    }

    /** Returns the record of the request in whose Vert.x context this method is called; null if there is none. */
    public static RequestRecord current() {
        var context = Vertx.currentContext();
        return context != null && VertxContext.isDuplicatedContext(context) ? context.getLocal(KEY) : null;
    }

    /** Runs an action when the request is complete: its response has ended, and its model call, if any, is settled. */
    public void whenComplete(Runnable action) {
        listeners.add(action);
    }

    private void onResponseEnd(boolean failed) {
        if (!responseEnded) {
            responseEnded = true;
            aborted = failed;
        }
        completeIfDone();
    }

    /** The WebSocket that the connection has become is closed: Vert.x does not report the end of a response after an upgrade. */
    public void onTunnelEnd() {
        onResponseEnd(false);
    }

    private void completeIfDone() {
        if (responseEnded && !modelCallPending && !complete) {
            complete = true;
            listeners.forEach(Runnable::run);
        }
    }

    void onDecision(LimitResult result) {
        if (limit == null || result.outcome().compareTo(limit.outcome()) >= 0) {
            limit = result;
        }
    }

    /** Sets the route, a text from a bounded set: the path with variable parts replaced. */
    public void setRoute(String route) {
        this.route = route;
    }

    public void setTraceId(String traceId) {
        this.traceId = traceId;
    }

    /**
     * The response of an upstream has begun.
     *
     * @param name name of the upstream
     * @param nanos time since the request was admitted
     */
    public void onUpstreamResponse(String name, long nanos) {
        upstream = name;
        upstreamNanos = nanos;
    }

    public void onModelCall(ModelCall call) {
        modelCall = call;
    }

    /** The call is sent to the provider; the request is not complete before {@link #onModelCallEnd}. */
    public void onModelCallSent() {
        modelCallPending = true;
    }

    /** @param usage null if none was booked */
    public void onModelCallEnd(ModelUsage usage) {
        modelUsage = usage;
        modelCallPending = false;
        completeIfDone();
    }

    HttpServerRequest request() {
        return request;
    }

    /** Returns the status of a call of gRPC; null if the request is none, or its response has no status. */
    public String grpcStatus() {
        if (!isGrpc) {
            return null;
        }
        var status = request.response().trailers().get(GRPC_STATUS);
        return status == null ? request.response().headers().get(GRPC_STATUS) : status;
    }

    long startNanos() {
        return startNanos;
    }

    /** Returns the route; null if it is not known. */
    public String route() {
        return route;
    }

    String traceId() {
        return traceId;
    }

    LimitResult limit() {
        return limit;
    }

    String upstream() {
        return upstream;
    }

    /** Returns the time from the admission to the upstream's response; -1 if there was none. */
    long upstreamNanos() {
        return upstreamNanos;
    }

    /** Returns the model call; null if the request is none. */
    public ModelCall modelCall() {
        return modelCall;
    }

    /** Returns the usage of the model call; null if none was booked. */
    public ModelUsage modelUsage() {
        return modelUsage;
    }

    /** Returns whether the connection or stream was closed before the response ended. */
    public boolean isAborted() {
        return aborted;
    }
}
