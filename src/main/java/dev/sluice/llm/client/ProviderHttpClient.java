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

import dev.sluice.llm.limit.LlmConfig;
import dev.sluice.llm.protocol.Provider;
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
 * A provider, as the settings reach it. Streams do not go by the REST client: it takes events in as fast as they come, however
 * slowly they are asked for.
 */
final class ProviderHttpClient implements Closeable {

    private final Provider provider;
    private final String address;
    private final String key;
    private final Map<String, String> headers = new LinkedHashMap<>();
    private final ProviderRestApi api;
    private final HttpClient streams;

    ProviderHttpClient(Provider provider, LlmConfig settings, Vertx vertx) {
        this.provider = provider;
        var configured = settings.of(provider);
        address = provider.withoutVersion(
                configured.baseUrl().filter(url -> !url.isBlank()).orElse(provider.address()).strip());
        key = configured.apiKey().orElse("");
        if (!key.isEmpty()) {
            switch (provider) {
                case OPENAI -> headers.put("Authorization", "Bearer " + key);
                case ANTHROPIC -> headers.put("x-api-key", key);
                case GEMINI -> headers.put("x-goog-api-key", key);
            }
        }
        if (provider == Provider.ANTHROPIC) {
            headers.put("anthropic-version", "2023-06-01");
        }
        api = api(settings);
        streams = vertx.createHttpClient(new HttpClientOptions().setMaxPoolSize(settings.maxConnections())
                .setConnectTimeout((int) settings.connectTimeout().toMillis())
                .setReadIdleTimeout((int) settings.timeout().toMillis()).setIdleTimeoutUnit(TimeUnit.MILLISECONDS));
    }

    private ProviderRestApi api(LlmConfig settings) {
        var builder = QuarkusRestClientBuilder.newBuilder().baseUri(URI.create(address)).disableDefaultMapper(true)
                .connectTimeout(settings.connectTimeout().toMillis(), TimeUnit.MILLISECONDS)
                .readTimeout(settings.timeout().toMillis(), TimeUnit.MILLISECONDS);
        var all = new MultivaluedHashMap<>(headers);
        return builder.clientHeadersFactory((incoming, outgoing) -> all).build(ProviderRestApi.class);
    }

    Provider provider() {
        return provider;
    }

    /** @param path from the version on, with the query */
    Uni<Response> post(String path, Buffer body) {
        return api.post(address + path, body.toString());
    }

    /**
     * The same, without waiting for more than the answer's head: its body is paused.
     *
     * @param path from the version on, with the query
     */
    Uni<HttpClientResponse> open(String path, Buffer body) {
        return Uni.createFrom().deferred(() -> {
            var sending = new Sending();
            return Uni.createFrom()
                    .completionStage(() -> streams.request(options(path)).compose(request -> sending.send(request, body))
                            .toCompletionStage())
                    .onCancellation().invoke(sending::cancel);
        });
    }

    private RequestOptions options(String path) {
        var options = new RequestOptions().setMethod(HttpMethod.POST).setAbsoluteURI(address + path)
                .putHeader(HttpHeaders.CONTENT_TYPE, "application/json").putHeader(HttpHeaders.ACCEPT, "text/event-stream");
        headers.forEach(options::putHeader);
        return options;
    }

    /** The same text without the key, should it be in it. */
    String withoutKey(String text) {
        return key.isEmpty() ? text : text.replace(key, "***");
    }

    @Override
    public void close() throws IOException {
        streams.close();
        ((Closeable) api).close();
    }

    /** A request that may be given up at any time. */
    private static final class Sending {

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
