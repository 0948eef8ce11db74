package dev.sluice.llm.client;

import java.util.function.Function;

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
 * Calls a provider's models for one user. Requests and responses are the provider's own JSON. Created by
 * {@link LlmClients}.
 * <p>
 * Each subscription is one call: it is checked against the limits before it is sent, and settled with the usage that the
 * provider reports. A denied call is not sent and fails with {@link RateLimitExceededException}. If the limits cannot be
 * checked, the call fails with {@link dev.sluice.api.StoreUnavailableException}. If the provider rejects the call or does
 * not respond as documented, the call fails with {@link LlmException}, and its reservation is released unless the provider
 * had begun a successful response. A call that has been sent and times out is booked as estimated, because the provider may bill
 * it. Calls are not retried.
 * <p>
 * Thread-safe and non-blocking: may be used on event loops.
 */
public final class LlmClient {

    private final ProviderHttpClient httpClient;
    private final LlmLimiter limiter;
    private final LlmIdentityResolver identities;
    private final LlmIdentity user;
    private final Provider provider;

    LlmClient(ProviderHttpClient httpClient, LlmLimiter limiter, LlmIdentityResolver identities, LlmIdentity user) {
        this.httpClient = httpClient;
        this.limiter = limiter;
        this.identities = identities;
        this.user = user;
        this.provider = httpClient.provider();
    }

    /**
     * Requests a completion: OpenAI's {@code /v1/chat/completions}, Anthropic's {@code /v1/messages} or Gemini's
     * {@code generateContent}.
     *
     * @param body the provider's request body; for Gemini, with the model's name in the additional field {@code model}
     * @return the provider's response body
     * @see <a href="https://platform.openai.com/docs/api-reference/chat/create">OpenAI: create chat completion</a>
     * @see <a href="https://docs.anthropic.com/en/api/messages">Anthropic: create a message</a>
     * @see <a href="https://ai.google.dev/api/generate-content">Gemini: generating content</a>
     */
    public Uni<JsonObject> chat(JsonObject body) {
        return Uni.createFrom().deferred(() -> {
            var chat = ChatRequest.of(provider, body, false);
            return call(chat.path(), chat.body());
        });
    }

    /**
     * Requests a completion as a stream of server-sent events.
     * <p>
     * Emits one JSON object per event, as they arrive and with backpressure. A usage chunk that the provider sends only
     * because this client has requested it is not emitted. Cancelling the subscription closes the connection; the usage
     * reported until then is booked, otherwise the estimate.
     *
     * @param body as for {@link #chat}; the flag that requests a stream is added
     * @return the events' data; OpenAI's final {@code [DONE]} is not emitted
     */
    public Multi<JsonObject> stream(JsonObject body) {
        return Multi.createFrom().deferred(() -> {
            var chat = ChatRequest.of(provider, body, true);
            return stream(chat.path(), chat.body());
        });
    }

    /**
     * Posts to any path of the provider's API whose response is not a stream.
     *
     * @param path the path from the API version on: {@code /v1/embeddings},
     * {@code /v1beta/models/gemini-2.5-flash:embedContent}
     * @param body the provider's request body
     * @return the provider's response body; fails with {@link IllegalArgumentException} if the path does not begin with a
     * version of the provider's API
     */
    public Uni<JsonObject> call(String path, JsonObject body) {
        return Uni.createFrom().deferred(() -> {
            var operation = operation(path);
            var buffer = body.toBuffer();
            if (operation.kind() == ProviderOperation.Kind.FREE || operation.kind() == ProviderOperation.Kind.STORED) {
                return httpClient.post(path, buffer).map(this::parseJson).onFailure().transform(this::asLlmException);
            }
            return admit(identity -> identity.estimate(provider, operation, buffer)).chain(call -> Uni.createFrom()
                    .deferred(() -> httpClient.post(path, buffer))
                    .map(response -> settleAndParse(call, operation, response)).onFailure(Exception.class)
                    .transform(this::asLlmException)
                    .onFailure().invoke(failure -> ProviderHttpClient.end(call, failure))
                    .onCancellation().invoke(() -> call.settleEstimated(call.estimatedUsage())));
        });
    }

    /**
     * Posts to any path of the provider's API whose response is a stream of server-sent events.
     *
     * @param path the path from the API version on, with the query: {@code /v1/responses}
     * @param body the provider's request body; must request a stream itself, unless the path does
     * @return the events' data, as for {@link #stream(JsonObject)}
     */
    public Multi<JsonObject> stream(String path, JsonObject body) {
        return Multi.createFrom().deferred(() -> {
            var operation = operation(path);
            var request = LlmRequestParser.parse(provider, operation, body.toBuffer());
            var buffer = httpClient.asksForUsage() ? request.bodyWithUsage() : request.body();
            boolean removeUsage = buffer != request.body();
            return admit(identity -> identity.estimate(provider, request)).onItem().transformToMulti(call -> {
                var stream = new LlmEventStream(call, operation.shape(), removeUsage, httpClient::redact);
                return httpClient.openStream(path, buffer).onFailure(Exception.class).transform(this::asLlmException).onItem()
                        .transformToMulti(response -> toEvents(stream, response)).onTermination().invoke(stream::onTermination);
            });
        });
    }

    private Multi<JsonObject> toEvents(LlmEventStream stream, HttpClientResponse response) {
        if (response.statusCode() >= 200 && response.statusCode() < 300) {
            return stream.read(response)
                    .onFailure(failure -> failure instanceof Exception && !(failure instanceof LlmException)).transform(
                            failure -> new LlmException(provider.id() + " did not complete its response", response.statusCode(),
                                    "",
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
        // Anything else could name another host, which would receive the API key.
        if (provider.version(path) == null) {
            throw new IllegalArgumentException("path must begin with " + provider.version() + "/: " + path);
        }
        int query = path.indexOf('?');
        return ProviderOperation.of(provider, "POST", query < 0 ? path : path.substring(0, query));
    }

    private Uni<AdmittedCall> admit(Function<LlmIdentity, LlmCallEstimate> estimate) {
        return identities.resolve(user).map(estimate).chain(limiter::admit).invoke(call -> {
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
            call.settle(extractor); // the provider has responded
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
            throw new LlmException(provider.id() + " responded with a body that is not a JSON object", status,
                    httpClient.redact(text), null);
        }
    }

    private LlmException rejection(int status, String body) {
        return new LlmException(provider.id() + " responded with status " + status, status, httpClient.redact(body),
                null);
    }

    private Throwable asLlmException(Throwable failure) {
        return failure instanceof LlmException ? failure : new LlmException(provider.id() + " did not respond", 0, "", failure);
    }
}
