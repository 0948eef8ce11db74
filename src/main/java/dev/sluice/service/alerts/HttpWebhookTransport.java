package dev.sluice.service.alerts;

import java.net.InetAddress;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;

import org.jspecify.annotations.Nullable;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.net.SocketAddress;

/**
 * Sends POST requests over HTTP/1.1, each on a connection of its own. The time limit covers everything up to the head of the response;
 * its body is discarded. Redirects are not followed. Hosts are looked up on threads of their own: Quarkus configures Vert.x to look
 * them up on the event loop. Thread-safe.
 */
final class HttpWebhookTransport implements WebhookTransport {

    static final long TIMEOUT_MILLIS = 10_000;

    private static final int MAX_BODY = 64 * 1024;
    private static final int HTTPS_PORT = 443;
    private static final int HTTP_PORT = 80;
    /** A look-up that hangs holds a thread. */
    private static final int LOOK_UP_THREADS = 4;

    private final Vertx vertx;
    private final Context context;
    private final long timeoutMillis;
    private final HttpClient client;
    private final WorkerExecutor lookUps;

    /**
     * @param context event loop on which requests are sent and futures complete
     * @param options TLS settings
     * @param timeoutMillis time limit, also of the connection
     */
    HttpWebhookTransport(Vertx vertx, Context context, HttpClientOptions options, long timeoutMillis) {
        this.vertx = vertx;
        this.context = context;
        this.timeoutMillis = timeoutMillis;
        options.setKeepAlive(false).setConnectTimeout((int) timeoutMillis);
        // Without a handler, Vert.x logs each connection that fails.
        this.client = vertx.httpClientBuilder().with(options)
                .withConnectHandler(connection -> connection.exceptionHandler(failure -> {
                })).build();
        this.lookUps = vertx.createSharedWorkerExecutor("sluice-alerts", LOOK_UP_THREADS);
    }

    @Override
    public Future<WebhookResponse> post(URI url, Map<String, String> headers, String body) {
        Promise<WebhookResponse> result = Promise.promise();
        context.runOnContext(now -> new Attempt(url, headers, Buffer.buffer(body), result).begin());
        return result.future();
    }

    /** Closes all connections. */
    void close() {
        client.close();
        lookUps.close();
    }

    /** State of one request. Used on the context only. */
    private final class Attempt {

        private final URI url;
        private final Map<String, String> headers;
        private final Buffer body;
        private final Promise<WebhookResponse> result;
        private long timer;
        private @Nullable HttpClientRequest request;

        Attempt(URI url, Map<String, String> headers, Buffer body, Promise<WebhookResponse> result) {
            this.url = url;
            this.headers = headers;
            this.body = body;
            this.result = result;
        }

        void begin() {
            timer = vertx.setTimer(timeoutMillis,
                    id -> fail(new TimeoutException("no response within " + timeoutMillis + " ms")));
            var host = url.getHost().startsWith("[") ? url.getHost().substring(1, url.getHost().length() - 1) : url.getHost();
            lookUps.executeBlocking(() -> List.of(InetAddress.getAllByName(host)), false)
                    .compose(addresses -> open(host, addresses, 0)).compose(opened -> {
                        request = opened;
                        if (result.future().isComplete()) { // the time limit has passed
                            opened.reset();
                        }
                        return opened.send(body);
                    }).onSuccess(this::receive).onFailure(this::fail);
        }

        /** Tries the addresses of a host in their order. */
        private Future<HttpClientRequest> open(String host, List<InetAddress> addresses, int index) {
            if (result.future().isComplete()) {
                return Future.failedFuture(result.future().cause()); // the time limit has passed
            }
            boolean tls = "https".equals(url.getScheme());
            int port = url.getPort() < 0 ? tls ? HTTPS_PORT : HTTP_PORT : url.getPort();
            var options = new RequestOptions().setMethod(HttpMethod.POST).setHost(host).setPort(port).setSsl(tls)
                    .setURI(target()).setFollowRedirects(false)
                    .setServer(SocketAddress.inetSocketAddress(port, addresses.get(index).getHostAddress()))
                    .putHeader(HttpHeaders.CONTENT_TYPE, "application/json").putHeader(HttpHeaders.USER_AGENT, "Sluice");
            headers.forEach(options::putHeader);
            var opened = client.request(options);
            return index + 1 == addresses.size() ? opened : opened.recover(refused -> open(host, addresses, index + 1));
        }

        private String target() {
            var path = url.getRawPath() == null || url.getRawPath().isEmpty() ? "/" : url.getRawPath();
            return url.getRawQuery() == null ? path : path + '?' + url.getRawQuery();
        }

        /** The status decides; the body is read to a bound, so that the receiver can complete its response. */
        private void receive(HttpClientResponse response) {
            var length = new long[1];
            response.exceptionHandler(failure -> vertx.cancelTimer(timer));
            response.handler(chunk -> {
                length[0] += chunk.length();
                if (length[0] > MAX_BODY) {
                    reset();
                }
            });
            response.endHandler(ended -> vertx.cancelTimer(timer));
            result.tryComplete(new WebhookResponse(response.statusCode(), response.getHeader(HttpHeaders.RETRY_AFTER)));
        }

        private void fail(Throwable failure) {
            result.tryFail(failure);
            reset();
        }

        private void reset() {
            vertx.cancelTimer(timer);
            if (request != null) {
                request.reset();
            }
        }
    }
}
