package dev.sluice.redis;

import java.util.List;

import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;

/** Connection that owns its client: closing it closes the client's sockets even with requests in flight. */
final class DedicatedConnection implements RedisConnection {

    private final RedisConnection connection;
    private final Runnable closeClient;

    /** @param closeClient closes the client */
    DedicatedConnection(RedisConnection connection, Runnable closeClient) {
        this.connection = connection;
        this.closeClient = closeClient;
    }

    @Override
    public Future<Response> send(Request command) {
        return connection.send(command);
    }

    @Override
    public Future<List<Response>> batch(List<Request> commands) {
        return connection.batch(commands);
    }

    @Override
    public Future<Void> close() {
        closeClient.run();
        return Future.succeededFuture();
    }

    @Override
    public RedisConnection exceptionHandler(Handler<Throwable> handler) {
        connection.exceptionHandler(handler);
        return this;
    }

    @Override
    public RedisConnection endHandler(Handler<Void> handler) {
        connection.endHandler(handler);
        return this;
    }

    @Override
    public RedisConnection handler(Handler<Response> handler) {
        connection.handler(handler);
        return this;
    }

    @Override
    public RedisConnection pause() {
        connection.pause();
        return this;
    }

    @Override
    public RedisConnection resume() {
        connection.resume();
        return this;
    }

    @Override
    public RedisConnection fetch(long amount) {
        connection.fetch(amount);
        return this;
    }

    @Override
    public boolean pendingQueueFull() {
        return connection.pendingQueueFull();
    }
}
