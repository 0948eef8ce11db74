package dev.sluice.testing.faults;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.json.JsonObject;

/** Receiver of webhooks that records them and answers as told. */
public final class WebhookReceiver implements AutoCloseable {

    /** Status for {@link #respond}: no response is sent. */
    public static final int NONE = 0;

    /**
     * Webhook that was received.
     *
     * @param id value of {@code webhook-id}
     * @param threshold threshold of the alert
     * @param answered whether a response was sent
     */
    public record Received(String id, int threshold, boolean answered) {
    }

    private final Vertx vertx = Vertx.vertx();
    private final List<Received> received = new CopyOnWriteArrayList<>();
    private final HttpServer server;
    private volatile int status = 204;

    public WebhookReceiver() {
        server = vertx.createHttpServer().requestHandler(request -> request.body().onSuccess(body -> {
            int current = status;
            received.add(new Received(request.getHeader("webhook-id"),
                    new JsonObject(body).getJsonObject("data").getInteger("threshold"), current != NONE));
            if (current != NONE) {
                request.response().setStatusCode(current).end();
            }
        })).listen(0, "127.0.0.1").toCompletionStage().toCompletableFuture().join();
    }

    public String url() {
        return "http://127.0.0.1:" + server.actualPort() + "/hook";
    }

    /** Sets the status of the responses from now on. */
    public void respond(int newStatus) {
        status = newStatus;
    }

    /** Returns the webhooks in the order of their arrival. */
    public List<Received> received() {
        return received;
    }

    @Override
    public void close() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }
}
