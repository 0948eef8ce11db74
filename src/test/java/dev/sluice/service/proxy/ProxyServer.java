package dev.sluice.service.proxy;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

import dev.sluice.service.proxy.connection.ConnectionAcquirer;
import dev.sluice.service.proxy.connection.PooledConnection;
import dev.sluice.service.proxy.connection.UpstreamException;
import dev.sluice.service.proxy.connection.UpstreamOptions;
import dev.sluice.service.proxy.connection.UpstreamUrl;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.AbstractVerticle;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.impl.headers.HeadersMultiMap;
import io.vertx.core.impl.ContextInternal;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;

/** HTTP server that forwards all requests to one upstream, with as many event loops as a test needs and nothing of Sluice else. */
public final class ProxyServer implements AutoCloseable {

    private static final int TIMEOUT_SECONDS = 30;
    private static final int SHARED_RANDOM_PORT = -1;

    /** Serves the connections of one event loop. */
    private final class Loop extends AbstractVerticle {

        @Override
        public void start(Promise<Void> started) {
            loopContext = (ContextInternal) context;
            var router = Router.router(vertx);
            router.route().handler(ProxyServer.this::forward);
            vertx.createHttpServer().requestHandler(router).listen(SHARED_RANDOM_PORT, "127.0.0.1")
                    .onSuccess(server -> port = server.actualPort()).<Void>mapEmpty().onComplete(started);
        }
    }

    private final Vertx vertx;
    private final Upstream upstream;
    private volatile ContextInternal loopContext;
    private volatile int port;

    private ProxyServer(int eventLoops, UpstreamUrl url, UpstreamOptions options) {
        vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(eventLoops + 1)); // one accepts
        var tls = new HttpClientOptions();
        upstream = new Upstream(vertx, "test", url, options, () -> tls, new SimpleMeterRegistry(), null);
        join(vertx.deployVerticle(Loop::new, new DeploymentOptions().setInstances(eventLoops)));
    }

    static ProxyServer start(int eventLoops, String url, int maxConnections, boolean http2) {
        var seconds = Duration.ofSeconds(5);
        return new ProxyServer(eventLoops, UpstreamUrl.parse(url), new UpstreamOptions(seconds, seconds, seconds, seconds,
                seconds, seconds, maxConnections, 100, http2));
    }

    private void forward(RoutingContext routed) {
        var headers = HeadersMultiMap.httpHeaders();
        routed.request().headers().forEach(field -> headers.add(field.getKey(), field.getValue()));
        routed.request().pause();
        ProxyExchange.forward(upstream, routed,
                new UpstreamRequest(routed.request().method(), routed.request().uri(), headers, false), null,
                new ExchangeListener() {
                    @Override
                    public void onResponse(int status, MultiMap responseHeaders) {
                        // unchanged
                    }

                    @Override
                    public void onFailure(Throwable failure) {
                        int status = failure instanceof UpstreamException known ? status(known) : 500;
                        routed.response().setStatusCode(status).end(failure.toString());
                    }
                });
    }

    private static int status(UpstreamException failure) {
        return switch (failure.kind()) {
            case NO_FREE_CONNECTION -> 503;
            case RESPONSE_TIMEOUT, IDLE_TIMEOUT -> 504;
            default -> 502;
        };
    }

    int port() {
        return port;
    }

    Upstream upstream() {
        return upstream;
    }

    /** Waits until the event loop that started last has run what it was given before. */
    void awaitEventLoop() {
        onEventLoop(() -> {
        });
    }

    private void onEventLoop(Runnable action) {
        Promise<Void> done = Promise.promise();
        loopContext.runOnContext(now -> {
            action.run();
            done.complete();
        });
        join(done.future());
    }

    /** Runs an action with an available connection of the event loop that started last's pool, as an exchange of its own. */
    void onConnection(Consumer<PooledConnection> action) {
        onEventLoop(() -> {
            var pool = upstream.pool(loopContext, false);
            pool.acquire(new ConnectionAcquirer() {
                @Override
                public boolean onConnection(PooledConnection connection) {
                    connection.begin(false, null);
                    action.accept(connection);
                    pool.release(connection);
                    return true;
                }

                @Override
                public void onConnectionFailure(UpstreamException failure) {
                    throw failure;
                }
            }, false);
        });
    }

    public static <T> T join(Future<T> future) {
        return future.toCompletionStage().toCompletableFuture().orTimeout(TIMEOUT_SECONDS, TimeUnit.SECONDS).join();
    }

    @Override
    public void close() {
        join(vertx.close());
    }
}
