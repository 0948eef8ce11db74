package dev.sluice.service.auth;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeoutException;

import io.smallrye.jwt.auth.principal.JWTAuthContextInfo;
import io.smallrye.jwt.util.ResourceUtils;
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
import io.vertx.core.net.PemTrustOptions;
import io.vertx.core.net.ProxyOptions;
import io.vertx.core.net.SocketAddress;

/**
 * Fetches the keys of JWTs from an http(s) URL, on an event loop of its own. The time limit covers everything, and the size of
 * the response is bounded. Hosts are looked up on a worker thread, one look-up at a time: Quarkus configures Vert.x to look them
 * up on the event loop.
 */
final class KeyFetcher {

    static final int MAX_BYTES = 1 << 20;
    private static final int MAX_REDIRECTS = 3;

    private final Vertx vertx;
    private final Context context;
    private final HttpClient client;
    private final URI location;
    private final long timeoutMillis;
    private final String proxyHost;
    private final int proxyPort;
    /** The last look-up; used on the context only. */
    private Future<List<InetAddress>> lookUp;
    private String lookedUpHost;

    /**
     * @param location URL of the keys
     * @param settings TLS and proxy settings of SmallRye JWT
     * @param timeout time limit
     */
    KeyFetcher(Vertx vertx, URI location, JWTAuthContextInfo settings, Duration timeout) {
        this.vertx = vertx;
        this.context = vertx.getOrCreateContext();
        this.location = location;
        this.timeoutMillis = timeout.toMillis();
        this.proxyHost = settings.getHttpProxyHost();
        this.proxyPort = settings.getHttpProxyPort();
        var options = new HttpClientOptions().setKeepAlive(false).setConnectTimeout((int) timeoutMillis)
                .setVerifyHost(!trustsHost(settings, location.getHost()));
        certificate(settings).ifPresent(
                pem -> options.setTrustOptions(new PemTrustOptions().addCertValue(Buffer.buffer(pem))));
        // Without a handler, Vert.x logs each connection that fails.
        this.client = vertx.httpClientBuilder().with(options)
                .withConnectHandler(connection -> connection.exceptionHandler(failure -> {
                })).build();
    }

    private static boolean trustsHost(JWTAuthContextInfo settings, String host) {
        return settings.isTlsTrustAll()
                || settings.getTlsTrustedHosts() != null && settings.getTlsTrustedHosts().contains(host);
    }

    private static Optional<String> certificate(JWTAuthContextInfo settings) {
        if (settings.getTlsCertificate() != null || settings.getTlsCertificatePath() == null) {
            return Optional.ofNullable(settings.getTlsCertificate());
        }
        try {
            return Optional.ofNullable(ResourceUtils.readResource(settings.getTlsCertificatePath()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Fetches the document; fails within the time limit. Completes on the event loop of the fetcher. */
    Future<KeyDocument> fetch() {
        Promise<KeyDocument> result = Promise.promise();
        context.runOnContext(now -> new Fetch(result).begin());
        return result.future();
    }

    /** Returns the URL without what must not be logged: user and query. */
    static String describe(URI location) {
        return location.getScheme() + "://" + location.getHost() + (location.getPort() < 0 ? "" : ":" + location.getPort())
                + (location.getRawPath() == null ? "" : location.getRawPath());
    }

    void close() {
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

        private final Promise<KeyDocument> result;
        private long timer;
        /** The current request; null before the first one. */
        private HttpClientRequest request;

        Fetch(Promise<KeyDocument> result) {
            this.result = result;
        }

        void begin() {
            timer = vertx.setTimer(timeoutMillis, id -> fail(
                    new TimeoutException("no complete response within " + timeoutMillis + " ms (rate-limit.jwt.timeout)")));
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
                    .putHeader(HttpHeaders.ACCEPT, "application/jwk-set+json, application/json, */*;q=0.8");
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
            var body = Buffer.buffer();
            response.handler(chunk -> {
                if (body.length() + chunk.length() > MAX_BYTES) {
                    fail(new IOException("response of more than " + MAX_BYTES + " bytes"));
                } else {
                    body.appendBuffer(chunk);
                }
            });
            response.endHandler(ended -> result.tryComplete(
                    new KeyDocument(body.toString(StandardCharsets.UTF_8), response.getHeader(HttpHeaders.CACHE_CONTROL))));
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
