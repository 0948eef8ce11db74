package dev.sluice.llm.client;

import java.io.Closeable;
import java.io.IOException;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;

import jakarta.ws.rs.core.MultivaluedHashMap;
import jakarta.ws.rs.core.Response;

import dev.sluice.llm.config.LlmConfig;
import dev.sluice.llm.config.Providers;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderBaseUrl;
import dev.sluice.llm.protocol.ProviderType;
import io.quarkus.rest.client.reactive.QuarkusRestClientBuilder;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.RequestOptions;

/**
 * HTTP access to one provider, as configured. Streams use a Vert.x client of their own, because the REST client reads
 * events as fast as they arrive, without backpressure.
 */
final class ProviderHttpClient implements Closeable {

    private final Provider provider;
    private final ProviderBaseUrl baseUrl;
    private final String query;
    private final String apiKey;
    private final Map<String, String> headers = new LinkedHashMap<>();
    private final ProviderRestApi restApi;
    private final HttpClient streamingClient;
    private final boolean asksForUsage;

    ProviderHttpClient(Provider provider, LlmConfig config, Providers providers, Vertx vertx) {
        this.provider = provider;
        var configured = config.of(provider);
        var url = configured.baseUrl().filter(text -> !text.isBlank()).orElse(provider.type().defaultBaseUrl());
        baseUrl = ProviderBaseUrl.of(provider.type(), url);
        query = providers.query(provider);
        apiKey = configured.apiKey().map(String::strip).orElse("");
        if (!apiKey.isEmpty()) {
            headers.put(providers.authHeader(provider), providers.authValue(provider, apiKey));
        }
        if (provider.is(ProviderType.ANTHROPIC)) {
            headers.put("anthropic-version", "2023-06-01");
        }
        headers.putAll(configured.headers());
        restApi = createRestApi(url, config, configured);
        streamingClient = vertx.createHttpClient(
                new HttpClientOptions().setMaxPoolSize(configured.maxConnections().orElse(config.maxConnections()))
                        .setConnectTimeout((int) configured.connectTimeout().orElse(config.connectTimeout()).toMillis())
                        .setReadIdleTimeout((int) configured.timeout().orElse(config.timeout()).toMillis())
                        .setIdleTimeoutUnit(TimeUnit.MILLISECONDS));
        asksForUsage = configured.askUsage();
    }

    private ProviderRestApi createRestApi(String url, LlmConfig config, LlmConfig.ProviderConfig configured) {
        var builder = QuarkusRestClientBuilder.newBuilder().baseUri(URI.create(url.strip())).disableDefaultMapper(true)
                .connectTimeout(configured.connectTimeout().orElse(config.connectTimeout()).toMillis(), TimeUnit.MILLISECONDS)
                .readTimeout(configured.timeout().orElse(config.timeout()).toMillis(), TimeUnit.MILLISECONDS);
        var all = new MultivaluedHashMap<>(headers);
        return builder.clientHeadersFactory((incoming, outgoing) -> all).build(ProviderRestApi.class);
    }

    private String target(String path) {
        var target = baseUrl.resolve(path);
        return query.isEmpty() ? target : target + (target.indexOf('?') < 0 ? '?' : '&') + query;
    }

    /** Returns whether the usage of a chat stream is requested where the caller has not. */
    boolean asksForUsage() {
        return asksForUsage;
    }

    Provider provider() {
        return provider;
    }

    /**
     * Sends a request.
     *
     * @param path path from the API version on, with the query
     */
    Uni<Response> post(String path, Buffer body) {
        return restApi.post(target(path), body.toString());
    }

    /**
     * Sends a request and completes with the response's head; its body is paused.
     *
     * @param path path from the API version on, with the query
     */
    Uni<HttpClientResponse> openStream(String path, Buffer body) {
        return Uni.createFrom().deferred(() -> {
            var pendingRequest = new CancellableRequest();
            return Uni.createFrom()
                    .completionStage(
                            () -> streamingClient.request(options(path)).compose(request -> pendingRequest.send(request, body))
                                    .toCompletionStage())
                    .onCancellation().invoke(pendingRequest::cancel);
        });
    }

    private RequestOptions options(String path) {
        var options = new RequestOptions().setMethod(HttpMethod.POST).setAbsoluteURI(target(path))
                .putHeader(HttpHeaders.CONTENT_TYPE, "application/json").putHeader(HttpHeaders.ACCEPT, "text/event-stream");
        headers.forEach(options::putHeader);
        return options;
    }

    /** Returns the text with the API key replaced, if it contains it. */
    String redactApiKey(String text) {
        return apiKey.isEmpty() ? text : text.replace(apiKey, "***");
    }

    @Override
    public void close() throws IOException {
        streamingClient.close();
        ((Closeable) restApi).close();
    }

    /** Request that may be cancelled at any time, on any thread. */
    private static final class CancellableRequest {

        private HttpClientRequest request;
        private boolean cancelled;

        synchronized Future<HttpClientResponse> send(HttpClientRequest ready, Buffer body) {
            if (cancelled) {
                ready.reset();
                return Future.failedFuture(new CancellationException());
            }
            request = ready;
            return ready.send(body).map(response -> {
                response.pause();
                return response;
            });
        }

        synchronized void cancel() {
            cancelled = true;
            if (request != null) {
                request.reset();
            }
        }
    }
}
