package dev.sluice.service.alerts;

import java.net.InetAddress;
import java.net.URI;
import java.util.HashMap;
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
import io.vertx.core.http.PoolOptions;
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
    /** A look-up that hangs holds a thread; look-ups of one host share one. */
    private static final int LOOK_UP_THREADS = 32;

    private final Vertx vertx;
    private final Context context;
    private final long timeoutMillis;
    private final HttpClient client;
    private final WorkerExecutor lookUps;
    private final AlertUrls urls;
    /** Look-ups under way by host. Used on the context only. */
    private final Map<String, Future<List<InetAddress>>> hosts = new HashMap<>();

    /**
     * @param context event loop on which requests are sent and futures complete
     * @param options TLS settings
     * @param urls addresses to which requests may be sent
     * @param timeoutMillis time limit, also of the connection
     */
    HttpWebhookTransport(Vertx vertx, Context context, HttpClientOptions options, AlertUrls urls, long timeoutMillis) {
        this.vertx = vertx;
        this.context = context;
        this.timeoutMillis = timeoutMillis;
        this.urls = urls;
        options.setKeepAlive(false).setConnectTimeout((int) timeoutMillis);
        // Without a handler, Vert.x logs each connection that fails.
        this.client = vertx.httpClientBuilder().with(options)
                .with(new PoolOptions().setHttp1MaxSize(DeliverySlots.MAX_PER_HOST))
                .withConnectHandler(connection -> connection.exceptionHandler(failure -> {
                })).build();
        this.lookUps = vertx.createSharedWorkerExecutor("sluice-alerts", LOOK_UP_THREADS);
    }

    @Override
    public Future<WebhookResponse> post(URI url, boolean anywhere, Map<String, String> headers, String body) {
        Promise<WebhookResponse> result = Promise.promise();
        context.runOnContext(now -> new Attempt(url, anywhere, headers, Buffer.buffer(body), result).begin());
        return result.future();
    }

    private Future<List<InetAddress>> lookUp(String host) {
        var underWay = hosts.get(host);
        if (underWay != null) {
            return underWay;
        }
        var lookUp = lookUps.executeBlocking(() -> List.of(InetAddress.getAllByName(host)), false);
        hosts.put(host, lookUp);
        return lookUp.onComplete(done -> hosts.remove(host));
    }

    /** Closes all connections. */
    void close() {
        client.close();
        lookUps.close();
    }

    /** State of one request. Used on the context only. */
    private final class Attempt {

        private final URI url;
        private final boolean anywhere;
        private final Map<String, String> headers;
        private final Buffer body;
        private final Promise<WebhookResponse> result;
        private long timer;
        private @Nullable HttpClientRequest request;

        Attempt(URI url, boolean anywhere, Map<String, String> headers, Buffer body, Promise<WebhookResponse> result) {
            this.url = url;
            this.anywhere = anywhere;
            this.headers = headers;
            this.body = body;
            this.result = result;
        }

        void begin() {
            timer = vertx.setTimer(timeoutMillis,
                    id -> fail(new TimeoutException("no response within " + timeoutMillis + " ms")));
            var host = url.getHost().startsWith("[") ? url.getHost().substring(1, url.getHost().length() - 1) : url.getHost();
            lookUp(host).compose(addresses -> open(host, allowed(addresses), 0)).compose(opened -> {
                request = opened;
                if (result.future().isComplete()) { // the time limit has passed
                    opened.reset();
                }
                return opened.send(body);
            }).onSuccess(this::receive).onFailure(this::fail);
        }

        private List<InetAddress> allowed(List<InetAddress> addresses) {
            return anywhere ? addresses : addresses.stream().filter(urls::mayReceive).toList();
        }

        /** Tries the addresses of a host in their order. They are those that were checked: the host is not looked up again. */
        private Future<HttpClientRequest> open(String host, List<InetAddress> addresses, int index) {
            if (addresses.isEmpty()) {
                return Future.failedFuture("the host has internal addresses only, such as private ones");
            }
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
