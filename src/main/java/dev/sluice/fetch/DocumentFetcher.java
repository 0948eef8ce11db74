package dev.sluice.fetch;

import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.net.ProxyOptions;
import io.vertx.core.net.SocketAddress;

/**
 * Fetches a document from an http(s) URL, on an event loop of its own. The time limit covers everything, and the size of
 * the response is bounded. Redirects are followed a few times, and never from https to another scheme. Hosts are looked up on a
 * worker thread, one look-up at a time: Quarkus configures Vert.x to look them up on the event loop. Thread-safe.
 */
public final class DocumentFetcher {

    private static final int MAX_REDIRECTS = 3;

    /**
     * Bounds of a fetch.
     *
     * @param timeout time limit, also of the connection
     * @param timeoutSetting where the time limit is set, for error messages; empty if it cannot be set
     * @param maxBytes maximum size of the document
     */
    public record Bounds(Duration timeout, String timeoutSetting, int maxBytes) {
    }

    private final Vertx vertx;
    private final Context context;
    private final HttpClient client;
    private final URI location;
    private final Bounds bounds;
    private final String accept;
    private final String proxyHost;
    private final int proxyPort;
    /** The last look-up; used on the context only. */
    private Future<List<InetAddress>> lookUp;
    private String lookedUpHost;

    /**
     * Creates a fetcher.
     *
     * @param location URL of the document, with a host
     * @param options TLS settings of the client
     * @param accept value of the request's field {@code Accept}
     * @param proxyHost host of an HTTP proxy; null for none
     * @param proxyPort port of the proxy
     */
    public DocumentFetcher(Vertx vertx, URI location, HttpClientOptions options, Bounds bounds, String accept, String proxyHost,
            int proxyPort) {
        this.vertx = vertx;
        this.context = vertx.getOrCreateContext();
        this.location = location;
        this.bounds = bounds;
        this.accept = accept;
        this.proxyHost = proxyHost;
        this.proxyPort = proxyPort;
        options.setKeepAlive(false).setConnectTimeout((int) bounds.timeout().toMillis());
        // Without a handler, Vert.x logs each connection that fails.
        this.client = vertx.httpClientBuilder().with(options)
                .withConnectHandler(connection -> connection.exceptionHandler(failure -> {
                })).build();
    }

    /**
     * Fetches the document.
     *
     * @return completes on the event loop of the fetcher; fails within the time limit
     */
    public Future<FetchedDocument> fetch() {
        Promise<FetchedDocument> result = Promise.promise();
        context.runOnContext(now -> new Fetch(result).begin());
        return result.future();
    }

    /**
     * Describes a URL for logs.
     *
     * @return the URL without its user and query, which may be secret
     */
    public static String describe(URI location) {
        return location.getScheme() + "://" + location.getHost() + (location.getPort() < 0 ? "" : ":" + location.getPort())
                + (location.getRawPath() == null ? "" : location.getRawPath());
    }

    /** Closes the client. */
    public void close() {
        client.close();
    }

    private Future<List<InetAddress>> lookUp(String host) {
        if (lookUp == null || lookUp.isComplete()) {
            lookUp = context.executeBlocking(() -> List.of(InetAddress.getAllByName(host)), false);
            lookedUpHost = host;
        }
        return host.equals(lookedUpHost)
                ? lookUp
                : Future.failedFuture("the look-up of the host " + lookedUpHost + " has not ended");
    }

    /** State of one fetch. Used on the context only. */
    private final class Fetch {

        private final Promise<FetchedDocument> result;
        private long timer;
        /** The current request; null before the first one. */
        private HttpClientRequest request;

        Fetch(Promise<FetchedDocument> result) {
            this.result = result;
        }

        void begin() {
            long millis = bounds.timeout().toMillis();
            timer = vertx.setTimer(millis, id -> fail(new TimeoutException("no complete response within " + millis + " ms"
                    + (bounds.timeoutSetting().isEmpty() ? "" : " (" + bounds.timeoutSetting() + ')'))));
            result.future().onComplete(done -> vertx.cancelTimer(timer));
            get(location, 0);
        }

        private void get(URI url, int redirects) {
            lookUp(proxyHost == null ? hostOf(url) : proxyHost).compose(addresses -> request(url, addresses, 0))
                    .compose(opened -> {
                        request = opened;
                        if (result.future().isComplete()) { // the time limit has passed
                            opened.reset();
                        }
                        return opened.send();
                    }).onSuccess(response -> receive(url, redirects, response)).onFailure(this::fail);
        }

        /** Tries the addresses of a host in their order. */
        private Future<HttpClientRequest> request(URI url, List<InetAddress> addresses, int index) {
            if (result.future().isComplete()) {
                return Future.failedFuture(result.future().cause()); // the time limit has passed
            }
            var address = addresses.get(index).getHostAddress();
            boolean tls = "https".equals(url.getScheme());
            int port = url.getPort() < 0 ? tls ? 443 : 80 : url.getPort();
            var options = new RequestOptions().setHost(hostOf(url)).setPort(port).setSsl(tls).setURI(targetOf(url))
                    .putHeader(HttpHeaders.ACCEPT, accept);
            if (proxyHost == null) {
                options.setServer(SocketAddress.inetSocketAddress(port, address));
            } else {
                options.setProxyOptions(new ProxyOptions().setHost(address).setPort(proxyPort));
            }
            var opened = client.request(options);
            return index + 1 == addresses.size()
                    ? opened
                    : opened.recover(refused -> request(url, addresses, index + 1));
        }

        private void receive(URI url, int redirects, HttpClientResponse response) {
            response.exceptionHandler(this::fail);
            int status = response.statusCode();
            var target = response.getHeader(HttpHeaders.LOCATION);
            if (status / 100 == 3 && target != null) {
                redirect(target, url, redirects);
                return;
            }
            if (status != 200) {
                fail(new IOException("response with status " + status));
                return;
            }
            var chunks = new ArrayList<Buffer>();
            var length = new int[1];
            response.handler(chunk -> {
                length[0] += chunk.length();
                if (length[0] > bounds.maxBytes()) {
                    chunks.clear();
                    fail(new IOException("response of more than " + bounds.maxBytes() + " bytes"));
                } else {
                    chunks.add(chunk);
                }
            });
            response.endHandler(ended -> result
                    .tryComplete(new FetchedDocument(chunks, length[0], response.getHeader(HttpHeaders.CACHE_CONTROL))));
        }

        private void redirect(String location, URI source, int redirects) {
            URI target;
            try {
                target = source.resolve(location);
            } catch (IllegalArgumentException e) {
                fail(new IOException("redirect to an invalid URL"));
                return;
            }
            boolean safe = "https".equals(target.getScheme())
                    || "http".equals(target.getScheme()) && "http".equals(source.getScheme());
            if (redirects == MAX_REDIRECTS || !safe || target.getHost() == null) {
                fail(new IOException("redirect that is not followed"));
            } else {
                request.response().result().exceptionHandler(reset -> {
                });
                request.reset();
                get(target, redirects + 1);
            }
        }

        private void fail(Throwable failure) {
            if (result.tryFail(failure) && request != null) {
                request.reset();
            }
        }
    }

    private static String hostOf(URI url) {
        var host = url.getHost();
        return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    }

    private static String targetOf(URI url) {
        var path = url.getRawPath() == null || url.getRawPath().isEmpty() ? "/" : url.getRawPath();
        return url.getRawQuery() == null ? path : path + '?' + url.getRawQuery();
    }
}
