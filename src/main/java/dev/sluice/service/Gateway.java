package dev.sluice.service;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

import dev.sluice.http.Admission;
import dev.sluice.http.ErrorAnswer;
import dev.sluice.http.Turnstile;
import io.quarkus.runtime.configuration.MemorySize;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;

/** The door to the upstream: where there is one, everything that is not Sluice's own is limited by its row and forwarded. */
@ApplicationScoped
class Gateway {

    private static final Logger LOG = Logger.getLogger(Gateway.class);
    /** After authentication has been prepared (-200), before Quarkus's limit on bodies (-2). */
    private static final int ORDER = -50;

    private final Turnstile turnstile;
    private final Upstream upstream;
    private final long bodyLimit;

    Gateway(Turnstile turnstile, Upstream upstream,
            @ConfigProperty(name = "quarkus.http.limits.max-body-size") MemorySize bodyLimit) {
        this.bodyLimit = bodyLimit.asLongValue();
        this.turnstile = turnstile;
        this.upstream = upstream;
    }

    void open(@Observes Router router) {
        router.route().order(ORDER).handler(this::handle);
    }

    private void handle(RoutingContext context) {
        if (!upstream.present() || OwnDoors.covers(context.normalizedPath())) {
            own(context);
            return;
        }
        if (isPreflight(context.request())) {
            upstream.forward(context, null);
            return;
        }
        context.request().pause();
        turnstile.admit(context).subscribe().with(admission -> decided(context, admission), failure -> {
            LOG.errorf(failure, "A request could not be decided");
            refuse(context, ServiceErrors.answer(500));
        });
    }

    /** Goes on to Sluice's own doors, with bodies that they take. */
    private void own(RoutingContext context) {
        var length = context.request().getHeader(HttpHeaders.CONTENT_LENGTH);
        if (length != null && length.length() > 6 && Long.parseLong(length) > bodyLimit) {
            context.response().putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE);
            ServiceErrors.answer(413).send(context);
        } else {
            context.next();
        }
    }

    private void decided(RoutingContext context, Admission admission) {
        if (context.response().closed()) {
            return;
        }
        if (admission.refused()) {
            refuse(context, admission.refusal());
        } else {
            upstream.forward(context, admission.caller());
        }
    }

    private static void refuse(RoutingContext context, ErrorAnswer answer) {
        context.request().resume(); // what is left of the body is dropped
        answer.send(context);
    }

    private static boolean isPreflight(HttpServerRequest request) {
        return request.method() == HttpMethod.OPTIONS && request.headers().contains("Origin")
                && request.headers().contains("Access-Control-Request-Method");
    }
}
