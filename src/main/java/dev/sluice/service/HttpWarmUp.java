package dev.sluice.service;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import org.jboss.logging.Logger;

import dev.sluice.engine.DecisionWarmUp;
import dev.sluice.engine.StoreConfig;
import dev.sluice.service.api.EndpointAuthorization;
import dev.sluice.service.config.ServiceConfig;
import io.quarkus.runtime.ImageMode;
import io.quarkus.runtime.StartupEvent;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.ext.web.Router;

/**
 * Sends up to 4000 checks through the HTTP routes before the port is opened, after {@link DecisionWarmUp} has warmed up the
 * decision path: routing, JSON and headers are the larger part of the cold code. Uses a loopback port of its own and windows of
 * one second, and counts against no address. Disabled with tracing, which would export the requests.
 */
@ApplicationScoped
class HttpWarmUp {

    private static final Logger LOG = Logger.getLogger(HttpWarmUp.class);
    private static final String LOOPBACK = "127.0.0.1";
    private static final Duration MAX_DURATION = Duration.ofSeconds(1);
    private static final int REQUESTS = 4000;
    private static final int CONNECTIONS = 64;

    private final Vertx vertx;
    private final Router router;
    private final boolean enabled;
    private final EndpointAuthorization authorization;

    HttpWarmUp(Vertx vertx, Router router, StoreConfig windows, ServiceConfig settings, EndpointAuthorization authorization) {
        this.vertx = vertx;
        this.router = router;
        this.enabled = windows.warmUp() && !settings.tracing() && !ImageMode.current().isNativeImage();
        this.authorization = authorization;
    }

    void start(@Observes @Priority(20) StartupEvent started) throws InterruptedException {
        if (!enabled) {
            return;
        }
        var done = new CountDownLatch(1);
        var server = vertx.createHttpServer(new HttpServerOptions().setHost(LOOPBACK).setPort(0)).requestHandler(router);
        var client = vertx.createHttpClient(new HttpClientOptions().setMaxPoolSize(CONNECTIONS));
        var token = authorization.beginWarmUp();
        long end = System.nanoTime() + MAX_DURATION.toNanos();
        server.listen().onComplete(listening -> {
            if (listening.failed()) {
                LOG.debug("Warm-up port cannot be opened", listening.cause());
                authorization.endWarmUp();
                done.countDown();
                return;
            }
            var remaining = new int[]{REQUESTS, CONNECTIONS};
            for (int i = 0; i < CONNECTIONS; i++) {
                sendNext(client, server.actualPort(), token, end, remaining, () -> {
                    authorization.endWarmUp();
                    client.close();
                    server.close();
                    done.countDown();
                });
            }
        });
        // Requests in flight keep their authorization: without it, they would count as failed attempts of the loopback address.
        done.await(2 * MAX_DURATION.toNanos(), TimeUnit.NANOSECONDS);
    }

    /**
     * @param token value of the Authorization header
     * @param remaining number of requests to send, and of connections still sending; guarded by its own monitor
     */
    private void sendNext(HttpClient client, int port, String token, long end, int[] remaining, Runnable finish) {
        int number;
        synchronized (remaining) {
            number = System.nanoTime() - end < 0 ? remaining[0]-- : 0;
            if (number <= 0) {
                if (--remaining[1] == 0) {
                    finish.run();
                }
                return;
            }
        }
        client.request(HttpMethod.POST, port, LOOPBACK, "/v1/check").compose(request -> {
            request.putHeader("Content-Type", "application/json");
            request.putHeader("Authorization", token);
            return request.send(body(number));
        }).compose(response -> response.end()).onComplete(over -> sendNext(client, port, token, end, remaining, finish));
    }

    private static Buffer body(int number) {
        int limit = number % 4 == 0 ? 1_000_000 : 50;
        return Buffer
                .buffer("{\"identifier\":\"" + DecisionWarmUp.SCRATCH_PREFIX + number % 20
                        + "\",\"resource\":\"warm-up\",\"limit\":"
                        + limit
                        + ",\"window_seconds\":1}");
    }
}
