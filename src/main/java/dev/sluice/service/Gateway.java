package dev.sluice.service;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

import dev.sluice.http.Admission;
import dev.sluice.http.ErrorAnswer;
import dev.sluice.http.Turnstile;
import dev.sluice.policy.Caller;
import io.quarkus.runtime.configuration.MemorySize;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.HttpException;

/** The door to the upstream: where there is one, everything that is not Sluice's own is limited by its row and forwarded. */
@ApplicationScoped
class Gateway {

    private static final Logger LOG = Logger.getLogger(Gateway.class);
    /** After authentication has been prepared (-200), before Quarkus's limit on bodies (-2). */
    private static final int ORDER = -50;

    private final Turnstile turnstile;
    private final Upstream upstream;
    private final DoorBody.Limits bodies;

    Gateway(Turnstile turnstile, Upstream upstream, Vertx vertx, ServiceSettings settings,
            @ConfigProperty(name = "quarkus.http.limits.max-body-size") MemorySize bodyLimit) {
        this.bodies = new DoorBody.Limits(vertx, bodyLimit.asLongValue(),
                settings.connections().bodyTimeout().toMillis());
        this.turnstile = turnstile;
        this.upstream = upstream;
    }

    void open(@Observes Router router) {
        router.route().order(ORDER).handler(this::handle).failureHandler(Gateway::failed);
    }

    private void handle(RoutingContext context) {
        if (!upstream.present() || OwnDoors.covers(context.normalizedPath())) {
            own(context);
            return;
        }
        if (isPreflight(context.request())) {
            forward(context, null);
            return;
        }
        context.request().pause();
        turnstile.admit(context, admission -> decided(context, admission), failure -> {
            LOG.errorf(failure, "A request could not be decided");
            refuse(context, ServiceErrors.answer(500));
        });
    }

    /** Goes on to Sluice's own doors, with bodies that they take. */
    private void own(RoutingContext context) {
        DoorBody.read(context, bodies);
    }

    private void decided(RoutingContext context, Admission admission) {
        if (context.response().closed()) {
            return;
        }
        if (admission.refused()) {
            refuse(context, admission.refusal());
        } else {
            forward(context, admission.caller());
        }
    }

    private void forward(RoutingContext context, Caller caller) {
        try {
            upstream.forward(context, caller);
        } catch (IllegalArgumentException e) {
            // HTTP/2 carries characters that HTTP/1 has other uses for
            refuse(context, ErrorAnswer.unreadable("headers", "A header has a character that no header may have"));
        }
    }

    /** Whatever went wrong on any route, in Sluice's shape. */
    private static void failed(RoutingContext context) {
        if (context.response().headWritten()) {
            return;
        }
        var failure = context.failure();
        int status = failure instanceof HttpException http ? http.getStatusCode() : context.statusCode();
        if (status < 400 || status == 500) {
            LOG.error("A request failed", failure);
        }
        OwnHeaders.put(context.response().headers()); // what is no path has not come through the front door
        refuse(context, ServiceErrors.answer(status < 400 ? 500 : status));
    }

    private static void refuse(RoutingContext context, ErrorAnswer answer) {
        if (!context.request().isEnded()) {
            context.request().resume(); // what is left of the body is dropped
        }
        answer.send(context);
    }

    static boolean isPreflight(HttpServerRequest request) {
        return request.method() == HttpMethod.OPTIONS && request.headers().contains("Origin")
                && request.headers().contains("Access-Control-Request-Method");
    }
}
