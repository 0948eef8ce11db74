package dev.sluice.llm.client;

import jakarta.ws.rs.core.Response;

import dev.sluice.api.RateLimitExceededException;
import dev.sluice.llm.limit.AdmittedCall;
import dev.sluice.llm.limit.LlmCallEstimate;
import dev.sluice.llm.limit.LlmLimiter;
import dev.sluice.llm.protocol.LlmRequestParser;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderOperation;
import dev.sluice.llm.protocol.UsageExtractor;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonObject;

/**
 * Calls a provider's models for one user: requests and answers are the provider's own JSON. {@link LlmClients} makes it.
 * <p>
 * Each subscription is one call: checked before it is sent, settled by the usage that the provider reports. A refused one is
 * not sent and fails with {@link RateLimitExceededException}; one that the provider does not answer as it should fails with
 * {@link LlmException}, and gives back what was reserved for it.
 */
public final class LlmClient {

    private final ProviderHttpClient access;
    private final LlmLimiter limiter;
    private final LlmIdentity caller;
    private final Provider provider;

    LlmClient(ProviderHttpClient access, LlmLimiter limiter, LlmIdentity caller) {
        this.access = access;
        this.limiter = limiter;
        this.caller = caller;
        this.provider = access.provider();
    }

    /**
     * Asks for a completion: OpenAI's {@code /v1/chat/completions}, Anthropic's {@code /v1/messages}, Gemini's
     * {@code generateContent}.
     *
     * @param body the provider's; Gemini's with the model's name as {@code model} besides
     */
    public Uni<JsonObject> chat(JsonObject body) {
        return Uni.createFrom().deferred(() -> {
            var chat = ChatRequest.of(provider, body, false);
            return call(chat.path(), chat.body());
        });
    }

    /**
     * The same as a stream: one JSON object for each event, as they come. What the provider tells of the usage only because
     * this client asked for it is not among them. A subscription that is cancelled ends the call; what
     * the provider has told of its usage until then is booked, otherwise the estimate.
     *
     * @param body as for {@link #chat}; what asks for a stream is added
     */
    public Multi<JsonObject> stream(JsonObject body) {
        return Multi.createFrom().deferred(() -> {
            var chat = ChatRequest.of(provider, body, true);
            return stream(chat.path(), chat.body());
        });
    }

    /**
     * Calls anything that the provider offers and that is not answered by a stream.
     *
     * @param path from the version on: {@code /v1/embeddings}, {@code /v1beta/models/gemini-2.5-flash:embedContent}
     */
    public Uni<JsonObject> call(String path, JsonObject body) {
        return Uni.createFrom().deferred(() -> {
            var operation = operation(path);
            var sent = body.toBuffer();
            if (operation.kind() == ProviderOperation.Kind.FREE) {
                return access.post(path, sent).map(this::json).onFailure().transform(this::explained);
            }
            return admit(caller.ask(provider, operation, sent)).chain(call -> Uni.createFrom()
                    .deferred(() -> access.post(path, sent))
                    .map(answer -> settled(call, operation, answer)).onFailure(Exception.class).transform(this::explained)
                    .onFailure().invoke(failure -> call.release(limited(failure)))
                    .onCancellation().invoke(() -> call.settleEstimated(call.estimatedUsage())));
        });
    }

    /**
     * Calls anything that is answered by a stream of events.
     *
     * @param path from the version on, with the query: {@code /v1/responses}
     * @param body says that a stream is wanted, where the path does not
     */
    public Multi<JsonObject> stream(String path, JsonObject body) {
        return Multi.createFrom().deferred(() -> {
            var operation = operation(path);
            var request = LlmRequestParser.parse(provider, operation, body.toBuffer());
            var sent = LlmRequestParser.withUsageRequested(operation, request);
            boolean strip = sent != request.body();
            return admit(caller.ask(provider, request)).onItem().transformToMulti(call -> {
                var stream = new LlmEventStream(call, operation.shape(), strip);
                return access.open(path, sent).onFailure(Exception.class).transform(this::explained).onItem()
                        .transformToMulti(answer -> events(stream, answer)).onTermination().invoke(stream::ended);
            });
        });
    }

    private Multi<JsonObject> events(LlmEventStream stream, HttpClientResponse answer) {
        if (answer.statusCode() >= 200 && answer.statusCode() < 300) {
            return stream.of(answer)
                    .onFailure(failure -> failure instanceof Exception && !(failure instanceof LlmException)).transform(
                            failure -> new LlmException(provider.id() + " broke off its answer", answer.statusCode(), "",
                                    failure));
        }
        return Uni.createFrom().completionStage(() -> {
            var body = answer.body();
            answer.resume();
            return body.toCompletionStage();
        }).onItemOrFailure().<JsonObject>transformToUni((body, failure) -> Uni.createFrom()
                .failure(refused(answer.statusCode(), body == null ? "" : body.toString()))).toMulti();
    }

    private ProviderOperation operation(String path) {
        // Anything else could name another host, which would get the key.
        if (provider.version(path) == null) {
            throw new IllegalArgumentException("path must begin with " + provider.version() + "/");
        }
        int query = path.indexOf('?');
        return ProviderOperation.of(provider, "POST", query < 0 ? path : path.substring(0, query));
    }

    private Uni<AdmittedCall> admit(LlmCallEstimate ask) {
        return limiter.admit(ask).invoke(call -> {
            if (!call.decision().allowed()) {
                throw call.denialException();
            }
        });
    }

    private JsonObject settled(AdmittedCall call, ProviderOperation operation, Response answer) {
        var text = text(answer);
        var usage = UsageExtractor.of(provider, operation.shape(), answer.getHeaderString(HttpHeaders.CONTENT_TYPE.toString()),
                answer.getHeaderString(HttpHeaders.CONTENT_ENCODING.toString()));
        try {
            usage.feed(Buffer.buffer(text));
        } finally {
            call.settle(usage); // the provider has answered
        }
        return json(answer.getStatus(), text);
    }

    private JsonObject json(Response answer) {
        return json(answer.getStatus(), text(answer));
    }

    private String text(Response answer) {
        var text = answer.hasEntity() ? answer.readEntity(String.class) : "";
        if (answer.getStatus() < 200 || answer.getStatus() >= 300) {
            throw refused(answer.getStatus(), text);
        }
        return text;
    }

    private JsonObject json(int status, String text) {
        try {
            return new JsonObject(text);
        } catch (DecodeException e) {
            throw new LlmException(provider.id() + " did not answer with a JSON object", status, access.withoutKey(text), null);
        }
    }

    private LlmException refused(int status, String body) {
        return new LlmException(provider.id() + " answered " + status, status, access.withoutKey(body), null);
    }

    static boolean limited(Throwable failure) {
        return failure instanceof LlmException refused && refused.status() == 429;
    }

    private Throwable explained(Throwable failure) {
        return failure instanceof LlmException ? failure : new LlmException(provider.id() + " did not answer", 0, "", failure);
    }
}
