package dev.sluice.testing.llm;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

import dev.sluice.llm.protocol.TokenUsage;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonObject;

/**
 * Stub of a provider on the loopback address. It responds to every call with the same text and the same token counts, in
 * the provider's own format, plain or streamed, and records the requests. Configured values apply until {@link #reset};
 * those configured for the next calls are used up by them.
 */
public abstract class ProviderStub implements AutoCloseable {

    /** Text of the responses unless a test sets another one. */
    public static final String DEFAULT_TEXT = "Hello from the stub.";

    private static final int FILLER = 16 << 10;

    /** Number of the current call. */
    private final AtomicInteger callNumber = new AtomicInteger();
    private final List<RecordedRequest> requests = new CopyOnWriteArrayList<>();
    private final Deque<Consumer<StubCall>> script = new ArrayDeque<>();
    private final AtomicInteger completedResponses = new AtomicInteger();
    private final AtomicInteger lostConnections = new AtomicInteger();
    private final AtomicLong bytesSent = new AtomicLong();
    private final Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1));
    private final int port;

    private volatile String key;
    private volatile String text;
    private volatile String model;
    private volatile List<TokenUsage> usages;
    private volatile long reasoning;
    private volatile ResponseGate gate;
    private volatile boolean gzip;
    private volatile long fillerChars;

    ProviderStub() {
        reset();
        port = vertx.createHttpServer(new HttpServerOptions().setHost("127.0.0.1").setPort(0))
                .requestHandler(this::onRequest).listen().toCompletionStage().toCompletableFuture().join().actualPort();
    }

    public int port() {
        return port;
    }

    /** Returns the base URL, without a version and without a trailing slash. */
    public String baseUrl() {
        return "http://127.0.0.1:" + port;
    }

    /** Discards recorded requests and configured values. */
    public void reset() {
        synchronized (script) {
            script.clear();
        }
        requests.clear();
        completedResponses.set(0);
        lostConnections.set(0);
        bytesSent.set(0);
        key = null;
        text = DEFAULT_TEXT;
        model = null;
        usages = List.of(TokenUsage.of(12, 5));
        reasoning = 0;
        gate = null;
        gzip = false;
        fillerChars = 0;
    }

    /** Returns the requests so far, the oldest first. */
    public List<RecordedRequest> requests() {
        return List.copyOf(requests);
    }

    /** Returns the newest request. */
    public RecordedRequest lastRequest() {
        return requests.get(requests.size() - 1);
    }

    /** Returns the number of responses that were written completely. */
    public int completedResponses() {
        return completedResponses.get();
    }

    /** Returns the number of responses that were not completed because either side closed the connection. */
    public int lostConnections() {
        return lostConnections.get();
    }

    /** Returns the number of body bytes written. */
    public long bytesSent() {
        return bytesSent.get();
    }

    /** Sets the only key that is accepted; by default, any key is. */
    public void expectKey(String expected) {
        key = expected;
    }

    public void text(String newText) {
        text = newText;
    }

    /** Sets the model's name in responses; by default, that of the request. */
    public void model(String name) {
        model = name;
    }

    /** Sets the usage of the calls; several are reported in turn. */
    public void usage(TokenUsage... newUsages) {
        usages = List.of(newUsages);
    }

    /** Sets how many of the output tokens are reasoning. */
    public void reasoning(long tokens) {
        reasoning = tokens;
    }

    /** Holds all further responses back. */
    public ResponseGate gate() {
        var closed = new ResponseGate();
        gate = closed;
        return closed;
    }

    /** Holds no further responses back; those held are still. */
    public void ungate() {
        gate = null;
    }

    /** Compresses responses for callers that accept it. */
    public void gzip() {
        gzip = true;
    }

    /**
     * Extends streams by a number of characters, sent as fast as they are read; {@link Long#MAX_VALUE} for an endless
     * stream.
     */
    public void fillerChars(long characters) {
        fillerChars = characters;
    }

    /** @param headers names and values, alternating; {@code content-type} is JSON unless given */
    public void respondNext(int calls, int status, String body, String... headers) {
        next(calls, call -> {
            var type = "application/json";
            for (int i = 0; i < headers.length; i += 2) {
                if (headers[i].equalsIgnoreCase("content-type")) {
                    type = headers[i + 1];
                } else {
                    call.header(headers[i], headers[i + 1]);
                }
            }
            call.respond(status, type, body);
        });
    }

    /** Rejects the next calls with the provider's own 429. */
    public void denyNext(int calls, long retryAfterSeconds) {
        respondNext(calls, 429, error(429, "Too many requests to the stub.").encode(), "retry-after",
                Long.toString(retryAfterSeconds));
    }

    /** Fails the next calls with an error in the provider's own format. */
    public void failNext(int calls, int status) {
        respondNext(calls, status, error(status, "The stub fails as configured.").encode());
    }

    /** Closes the connection after a number of events and half of the next one; with 0, after half of a plain response. */
    public void cutNext(int calls, int events) {
        next(calls, call -> {
            call.cutAfter(events);
            serve(call);
        });
    }

    /** Closes the connection without a response. */
    public void closeNext(int calls) {
        next(calls, StubCall::closeConnection);
    }

    /** @param events the events with their framing */
    public void streamNext(int calls, String... events) {
        next(calls, call -> call.stream("text/event-stream", StubEvents.of(events).iterator(0)));
    }

    private void next(int calls, Consumer<StubCall> handler) {
        synchronized (script) {
            for (int i = 0; i < calls; i++) {
                script.add(handler);
            }
        }
    }

    private void onRequest(HttpServerRequest request) {
        request.body().onSuccess(body -> {
            requests.add(new RecordedRequest(request.method().name(), request.uri(), request.headers(), body.toString()));
            var call = new StubCall(request, json(body), gate, bytesSent, completedResponses::incrementAndGet,
                    lostConnections::incrementAndGet);
            if (gzip) {
                call.gzip();
            }
            callNumber.incrementAndGet();
            Consumer<StubCall> scripted;
            synchronized (script) {
                scripted = script.poll();
            }
            if (scripted == null) {
                serve(call);
            } else {
                scripted.accept(call);
            }
        });
    }

    private static JsonObject json(Buffer body) {
        try {
            return body.length() == 0 ? null : new JsonObject(body);
        } catch (DecodeException e) {
            return null;
        }
    }

    private void serve(StubCall call) {
        var given = key(call.request);
        if (given == null || given.isEmpty() || key != null && !key.equals(given)) {
            fail(call, 401, "The stub does not know this key.");
        } else if (call.request.method().name().equals("POST") && call.body == null) {
            fail(call, 400, "The stub could not parse the JSON body of your request.");
        } else {
            respond(call);
        }
    }

    /** Returns the key in a request; null if there is none. */
    abstract String key(HttpServerRequest request);

    /** Responds to a call with an accepted key and, if it is a POST, a JSON body. */
    abstract void respond(StubCall call);

    abstract JsonObject error(int status, String message);

    final void fail(StubCall call, int status, String message) {
        call.respondJson(status, error(status, message));
    }

    final void stream(StubCall call, StubEvents events) {
        call.stream("text/event-stream; charset=utf-8", events.iterator(fillerChars));
    }

    /** Returns the text of a filler event. */
    static String fillerText() {
        return "fill ".repeat(FILLER / 5);
    }

    final int callNumber() {
        return callNumber.get();
    }

    final String configuredText() {
        return text;
    }

    /** Returns the model's name for a response. */
    final String responseModel(String requestedModel) {
        return model == null ? requestedModel : model;
    }

    final TokenUsage configuredUsage() {
        var all = usages;
        return all.get(callNumber() % all.size());
    }

    final long reasoningTokens() {
        return reasoning;
    }

    @Override
    public void close() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }
}
