package dev.sluice.llm.client;

import java.io.Closeable;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import jakarta.ws.rs.core.MultivaluedHashMap;
import jakarta.ws.rs.core.Response;

import org.jspecify.annotations.Nullable;

import dev.sluice.llm.config.LlmConfig;
import dev.sluice.llm.config.Providers;
import dev.sluice.llm.limit.AdmittedCall;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderBaseUrl;
import dev.sluice.llm.protocol.ProviderType;
import io.quarkus.rest.client.reactive.QuarkusRestClientBuilder;
import io.quarkus.tls.TlsConfiguration;
import io.quarkus.tls.runtime.config.TlsConfigUtils;
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

    /** In the message of Vert.x if all connections were in use for too long: the request has not been sent. */
    private static final String CONNECTION_TIMEOUT = "getting a connection";

    private final Provider provider;
    private final ProviderBaseUrl baseUrl;
    private final String query;
    private final SentSecrets secrets;
    private final Map<String, String> headers = new LinkedHashMap<>();
    private final ProviderRestApi restApi;
    private final HttpClient streamingClient;
    private final boolean asksForUsage;
    private final long timeoutMillis;

    /** @param tls the configuration of TLS; null for that of the JVM */
    ProviderHttpClient(Provider provider, LlmConfig config, Providers providers, @Nullable TlsConfiguration tls, Vertx vertx) {
        this.provider = provider;
        var configured = config.of(provider);
        var url = configured.baseUrl().filter(text -> !text.isBlank()).orElse(provider.type().defaultBaseUrl());
        baseUrl = ProviderBaseUrl.of(provider.type(), url);
        query = providers.query(provider);
        secrets = new SentSecrets(configured);
        var apiKey = configured.apiKey().map(String::strip).orElse("");
        if (!apiKey.isEmpty()) {
            headers.put(providers.authHeader(provider), providers.authValue(provider, apiKey));
        }
        if (provider.is(ProviderType.ANTHROPIC)) {
            headers.put("anthropic-version", "2023-06-01");
        }
        headers.putAll(configured.headers());
        timeoutMillis = configured.timeout().orElse(config.timeout()).toMillis();
        var connectTimeout = configured.connectTimeout().orElse(config.connectTimeout());
        restApi = createRestApi(url, connectTimeout, tls);
        var options = new HttpClientOptions().setMaxPoolSize(configured.maxConnections().orElse(config.maxConnections()))
                .setConnectTimeout((int) connectTimeout.toMillis());
        if (tls != null) {
            TlsConfigUtils.configure(options, tls);
        }
        streamingClient = vertx.createHttpClient(options);
        asksForUsage = configured.askUsage();
    }

    private ProviderRestApi createRestApi(String url, Duration connectTimeout, @Nullable TlsConfiguration tls) {
        var builder = QuarkusRestClientBuilder.newBuilder().baseUri(URI.create(url.strip())).disableDefaultMapper(true)
                .connectTimeout(connectTimeout.toMillis(), TimeUnit.MILLISECONDS)
                .readTimeout(timeoutMillis, TimeUnit.MILLISECONDS);
        if (tls != null) {
            builder.tlsConfiguration(tls);
        }
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
                .setIdleTimeout(timeoutMillis)
                .putHeader(HttpHeaders.CONTENT_TYPE, "application/json").putHeader(HttpHeaders.ACCEPT, "text/event-stream");
        headers.forEach(options::putHeader);
        return options;
    }

    /** Returns a text without the secrets that are sent to the provider. */
    String redact(String text) {
        return secrets.redact(text);
    }

    /** Ends a call that has failed before a successful response. */
    static void end(AdmittedCall call, Throwable failure) {
        if (isResponseTimeout(failure)) {
            call.settleEstimated(call.estimatedUsage());
        } else {
            call.release(LlmException.isRateLimited(failure));
        }
    }

    /** Returns whether a failure is a timeout after the request has been sent: the provider may bill the call. */
    static boolean isResponseTimeout(Throwable failure) {
        for (var cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof TimeoutException) {
                return !String.valueOf(cause.getMessage()).contains(CONNECTION_TIMEOUT);
            }
        }
        return false;
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
