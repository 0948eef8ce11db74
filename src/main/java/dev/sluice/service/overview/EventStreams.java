package dev.sluice.service.overview;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import dev.sluice.engine.StoreStatus;
import dev.sluice.http.ErrorResponse;
import dev.sluice.http.RequestRefusedException;
import dev.sluice.service.api.EndpointAuthorization;
import dev.sluice.service.api.QueryParameters;
import dev.sluice.service.edge.ReservedPaths;
import dev.sluice.service.edge.ResponseAbort;
import dev.sluice.service.edge.ServiceErrors;
import dev.sluice.service.traffic.TrafficHistory;
import dev.sluice.service.traffic.TrafficService;
import io.quarkus.runtime.ShutdownDelayInitiatedEvent;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;

/**
 * The endpoint {@code GET /v1/events}: figures of all instances as server-sent events, one each second. One reading serves all
 * connections. A connection that does not read is closed. A route and not a JAX-RS resource, because its response does not end.
 */
@ApplicationScoped
class EventStreams {

    static final String PATH = "/v1/events";
    /** Maximum number of connections of this instance. */
    static final int MAX_STREAMS = 200;

    /** Before the gateway (-50), as other routes of the API. */
    private static final int ORDER = -60;
    private static final long PERIOD_MILLIS = 1000;
    /** Number of events that a connection may miss in succession. */
    private static final int MAX_MISSED = 10;
    private static final int READ_MINUTES = 2;

    private static final ErrorResponse TOO_MANY = ErrorResponse.of(503, "RATE_5033",
            "There are " + MAX_STREAMS + " event streams on this instance; close one, or query GET /v1/overview");

    private static final class Stream {

        final HttpServerRequest request;
        int missed;

        Stream(HttpServerRequest request) {
            this.request = request;
        }
    }

    private final EndpointAuthorization authorization;
    private final TrafficService traffic;
    private final StoreStatus store;
    private final ReservedPaths reserved;
    private final Vertx vertx;
    private final Context context;
    /** Used on the context only, as the following fields. */
    private final List<Stream> streams = new ArrayList<>();
    private final LiveFigures figures = new LiveFigures();
    private long timer = -1;
    private boolean reading;
    private boolean stopping;

    EventStreams(EndpointAuthorization authorization, TrafficService traffic, StoreStatus store, ReservedPaths reserved,
            Vertx vertx) {
        this.authorization = authorization;
        this.traffic = traffic;
        this.store = store;
        this.reserved = reserved;
        this.vertx = vertx;
        this.context = vertx.getOrCreateContext();
    }

    void register(@Observes Router router) {
        router.route(PATH).order(ORDER).handler(this::handle);
    }

    private void handle(RoutingContext request) {
        if (!reserved.contains(PATH)) {
            request.next();
        } else if (request.request().method() != HttpMethod.GET) {
            request.response().putHeader(HttpHeaders.ALLOW, "GET");
            ServiceErrors.forStatus(405).send(request);
        } else {
            var ofRequest = vertx.getOrCreateContext();
            authorization.authorizeReader(request, access -> {
                try {
                    QueryParameters.allow(request);
                    ofRequest.runOnContext(now -> begin(request));
                } catch (RequestRefusedException e) {
                    e.errorResponse().send(request);
                }
            });
        }
    }

    /** Notices the end of the request on its own event loop, where it cannot end meanwhile; it is removed after it was added. */
    private void begin(RoutingContext request) {
        if (request.response().closed()) {
            return;
        }
        var stream = new Stream(request.request());
        context.runOnContext(now -> open(request, stream));
        request.addEndHandler(ended -> context.runOnContext(now -> remove(stream)));
    }

    private void open(RoutingContext request, Stream stream) {
        if (stopping || streams.size() >= MAX_STREAMS) {
            TOO_MANY.send(request);
            return;
        }
        var response = request.response();
        if (response.closed()) {
            return;
        }
        response.setChunked(true).putHeader(HttpHeaders.CONTENT_TYPE, "text/event-stream")
                .putHeader("X-Accel-Buffering", "no");
        response.write(": figures follow each second\n\n");
        streams.add(stream);
        if (timer < 0) {
            timer = vertx.setPeriodic(PERIOD_MILLIS, id -> context.runOnContext(now -> tick()));
            tick();
        }
    }

    private void remove(Stream stream) {
        streams.remove(stream);
        if (streams.isEmpty() && timer >= 0) {
            vertx.cancelTimer(timer);
            timer = -1;
            figures.reset();
        }
    }

    private void tick() {
        if (reading || streams.isEmpty()) {
            return;
        }
        reading = true;
        traffic.last(READ_MINUTES).onComplete(read -> context.runOnContext(now -> {
            reading = false;
            if (read.succeeded()) {
                send(event(read.result()));
            }
        }));
    }

    private String event(TrafficHistory history) {
        var live = figures.add(history);
        var data = new JsonObject().put("time_ms", history.nowMillis()).put("scope", TrafficResponse.scope(history))
                .put("mode", store.mode().name().toLowerCase(Locale.ROOT)).put("instances", store.instances())
                .put("in_flight", history.totalInFlight());
        if (live != null) {
            data.put("allowed_per_second", live.allowed()).put("denied_per_second", live.denied())
                    .put("errors_per_second", live.errors()).put("p50_ms", DecisionTotals.millis(live.p50Nanos()))
                    .put("p99_ms", DecisionTotals.millis(live.p99Nanos()));
        }
        return "event: figures\ndata: " + data.encode() + "\n\n";
    }

    private void send(String event) {
        for (var stream : List.copyOf(streams)) {
            if (!stream.request.response().writeQueueFull()) {
                stream.missed = 0;
                stream.request.response().write(event);
            } else if (++stream.missed > MAX_MISSED) {
                ResponseAbort.abort(stream.request);
                remove(stream);
            }
        }
    }

    /** Ends the streams, for which a graceful shutdown would wait. */
    void stop(@Observes ShutdownDelayInitiatedEvent shutdown) {
        context.runOnContext(now -> {
            stopping = true;
            List.copyOf(streams).forEach(stream -> {
                stream.request.response().end();
                remove(stream);
            });
        });
    }
}
