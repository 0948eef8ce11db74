package dev.sluice.bench;

import java.util.function.Function;
import java.util.stream.IntStream;

import io.vertx.core.AbstractVerticle;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;

/** Vert.x server of its own process with as many event loops as Quarkus has. */
final class BareServer extends AbstractVerticle {

    private final int port;
    private final Function<Vertx, Handler<HttpServerRequest>> handlers;

    private BareServer(int port, Function<Vertx, Handler<HttpServerRequest>> handlers) {
        this.port = port;
        this.handlers = handlers;
    }

    /**
     * Listens on the port and then prints a line.
     *
     * @param handlers creates the handler of an event loop, on that loop
     */
    static void listen(int port, Function<Vertx, Handler<HttpServerRequest>> handlers) {
        var vertx = Vertx.vertx();
        int loops = 2 * Runtime.getRuntime().availableProcessors();
        Future.all(IntStream.range(0, loops).mapToObj(i -> vertx.deployVerticle(new BareServer(port, handlers))).toList())
                .onSuccess(all -> System.out.println("listening")).onFailure(failure -> {
                    failure.printStackTrace();
                    System.exit(1);
                });
    }

    @Override
    public void start(Promise<Void> started) {
        vertx.createHttpServer(new HttpServerOptions().setHost("127.0.0.1").setPort(port))
                .requestHandler(handlers.apply(vertx)).listen().<Void>mapEmpty().onComplete(started);
    }
}
