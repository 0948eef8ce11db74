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

    private final ProviderHttpClient httpClient;
    private final LlmLimiter limiter;
    private final LlmIdentity identity;
    private final Provider provider;

    LlmClient(ProviderHttpClient httpClient, LlmLimiter limiter, LlmIdentity identity) {
        this.httpClient = httpClient;
        this.limiter = limiter;
        this.identity = identity;
        this.provider = httpClient.provider();
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
            var buffer = body.toBuffer();
            if (operation.kind() == ProviderOperation.Kind.FREE) {
                return httpClient.post(path, buffer).map(this::parseJson).onFailure().transform(this::asLlmException);
            }
            return admit(identity.estimate(provider, operation, buffer)).chain(call -> Uni.createFrom()
                    .deferred(() -> httpClient.post(path, buffer))
                    .map(response -> settleAndParse(call, operation, response)).onFailure(Exception.class)
                    .transform(this::asLlmException)
                    .onFailure().invoke(failure -> call.release(isRateLimited(failure)))
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
            var buffer = LlmRequestParser.withUsageRequested(operation, request);
            boolean removeUsage = buffer != request.body();
            return admit(identity.estimate(provider, request)).onItem().transformToMulti(call -> {
                var stream = new LlmEventStream(call, operation.shape(), removeUsage);
                return httpClient.openStream(path, buffer).onFailure(Exception.class).transform(this::asLlmException).onItem()
                        .transformToMulti(response -> toEvents(stream, response)).onTermination().invoke(stream::onTermination);
            });
        });
    }

    private Multi<JsonObject> toEvents(LlmEventStream stream, HttpClientResponse response) {
        if (response.statusCode() >= 200 && response.statusCode() < 300) {
            return stream.read(response)
                    .onFailure(failure -> failure instanceof Exception && !(failure instanceof LlmException)).transform(
                            failure -> new LlmException(provider.id() + " broke off its answer", response.statusCode(), "",
                                    failure));
        }
        return Uni.createFrom().completionStage(() -> {
            var body = response.body();
            response.resume();
            return body.toCompletionStage();
        }).onItemOrFailure().<JsonObject>transformToUni((body, failure) -> Uni.createFrom()
                .failure(rejection(response.statusCode(), body == null ? "" : body.toString()))).toMulti();
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

    private JsonObject settleAndParse(AdmittedCall call, ProviderOperation operation, Response response) {
        var text = bodyOf(response);
        var extractor = UsageExtractor.of(provider, operation.shape(),
                response.getHeaderString(HttpHeaders.CONTENT_TYPE.toString()),
                response.getHeaderString(HttpHeaders.CONTENT_ENCODING.toString()));
        try {
            extractor.feed(Buffer.buffer(text));
        } finally {
            call.settle(extractor); // the provider has answered
        }
        return parseJson(response.getStatus(), text);
    }

    private JsonObject parseJson(Response response) {
        return parseJson(response.getStatus(), bodyOf(response));
    }

    private String bodyOf(Response response) {
        var text = response.hasEntity() ? response.readEntity(String.class) : "";
        if (response.getStatus() < 200 || response.getStatus() >= 300) {
            throw rejection(response.getStatus(), text);
        }
        return text;
    }

    private JsonObject parseJson(int status, String text) {
        try {
            return new JsonObject(text);
        } catch (DecodeException e) {
            throw new LlmException(provider.id() + " did not answer with a JSON object", status, httpClient.redactApiKey(text),
                    null);
        }
    }

    private LlmException rejection(int status, String body) {
        return new LlmException(provider.id() + " answered " + status, status, httpClient.redactApiKey(body), null);
    }

    static boolean isRateLimited(Throwable failure) {
        return failure instanceof LlmException rejection && rejection.status() == 429;
    }

    private Throwable asLlmException(Throwable failure) {
        return failure instanceof LlmException ? failure : new LlmException(provider.id() + " did not answer", 0, "", failure);
    }
}
