package dev.sluice.service.proxy;

import java.util.concurrent.CompletableFuture;

import org.jboss.logging.Logger;

import dev.sluice.service.log.RequestRecord;
import dev.sluice.service.proxy.connection.ConnectionAcquirer;
import dev.sluice.service.proxy.connection.ConnectionPool;
import dev.sluice.service.proxy.connection.PooledConnection;
import dev.sluice.service.proxy.connection.UpstreamException;
import dev.sluice.service.proxy.connection.UpstreamException.Cause;
import dev.sluice.service.proxy.connection.UpstreamStream;
import io.vertx.core.AsyncResult;
import io.vertx.core.MultiMap;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.impl.HttpResponseHead;
import io.vertx.core.http.impl.HttpServerRequestInternal;
import io.vertx.core.impl.ContextInternal;
import io.vertx.ext.web.RoutingContext;

/**
 * One request that is forwarded to an upstream, and its response: streamed in both directions, with backpressure and bounded in
 * time.
 * <p>
 * Confined to the event loop of the request.
 */
public final class ProxyExchange implements ConnectionAcquirer, RequestBody.Listener, ExchangesInFlight.Abortable {

    private static final Logger LOG = Logger.getLogger(ProxyExchange.class);
    private static final int MAX_STATUS = 999;

    private final Upstream upstream;
    private final RoutingContext context;
    private final ContextInternal loopContext;
    private final HttpServerRequest request;
    private final UpstreamRequest forwarded;
    private final ExchangeListener listener;
    private final ConnectionPool pool;
    private final RequestBody body;
    private final long startNanos = System.nanoTime();
    private final ExchangeTimeout timeout;
    /** Null while there is no connection. */
    private UpstreamStream stream;
    private ClientResponse clientResponse;
    private int status;
    /** True once a valid response has begun. */
    private boolean accepted;
    private boolean repeated;
    private boolean paused;
    private boolean clientGone;
    private boolean ended;

    private ProxyExchange(Upstream upstream, RoutingContext context, UpstreamRequest forwarded, Buffer body,
            ExchangeListener listener) {
        this.upstream = upstream;
        this.context = context;
        this.request = context.request();
        this.loopContext = (ContextInternal) ((HttpServerRequestInternal) request).context();
        this.forwarded = forwarded;
        this.listener = listener;
        this.pool = upstream.pool(loopContext, forwarded.webSocket());
        this.body = new RequestBody(request, forwarded, body, upstream.url().authority(), loopContext, this);
        this.timeout = new ExchangeTimeout(pool.timer(), () -> loopContext.emit(null, late -> onIdle()),
                () -> loopContext.emit(null, late -> stopDraining()));
    }

    /**
     * Forwards a request, on its event loop; the request is paused if it has not ended.
     *
     * @param body the body; null if that of the client is streamed
     */
    public static void forward(Upstream upstream, RoutingContext context, UpstreamRequest forwarded, Buffer body,
            ExchangeListener listener) {
        var loop = ((HttpServerRequestInternal) context.request()).context();
        if (((ContextInternal) loop).nettyEventLoop().inEventLoop()) {
            start(upstream, context, forwarded, body, listener);
        } else { // a step before has completed elsewhere; the connections of that thread must not be used
            loop.runOnContext(moved -> start(upstream, context, forwarded, body, listener));
        }
    }

    private static void start(Upstream upstream, RoutingContext context, UpstreamRequest forwarded, Buffer body,
            ExchangeListener listener) {
        var exchange = new ProxyExchange(upstream, context, forwarded, body, listener);
        context.addEndHandler(exchange::onClientResponseEnd);
        upstream.inFlight().add(exchange);
        if (context.response().closed()) {
            exchange.onClientGone();
        } else {
            exchange.pool.acquire(exchange, false);
        }
    }

    private void onClientResponseEnd(AsyncResult<Void> end) {
        if (end.failed() || !context.response().ended()) {
            onClientGone();
        }
    }

    @Override
    public boolean onConnection(PooledConnection acquired) {
        if (ended) {
            return false;
        }
        acquired.begin(forwarded.method() == HttpMethod.HEAD, this::onReadComplete);
        if (forwarded.webSocket() && !pool.tryBeginStream(acquired)) { // before the upstream accepts it
            pool.release(acquired);
            onConnectionFailure(new UpstreamException(Cause.NO_FREE_CONNECTION, null));
            return true;
        }
        acquired.http().createStream(loopContext, created -> {
            if (created.succeeded()) {
                begin(new UpstreamStream(created.result(), acquired, pool));
            } else {
                pool.release(acquired);
                onFailure(created.cause());
            }
        });
        return true;
    }

    @Override
    public void onConnectionFailure(UpstreamException failure) {
        if (!ended) {
            loopContext.emit(failure, this::fail);
        }
    }

    private void begin(UpstreamStream created) {
        stream = created;
        created.onFailure(failure -> {
            if (created == stream && !created.isGoAway(failure)) {
                onFailure(failure);
            }
        });
        created.onHead(head -> guard(() -> onHead(head)));
        created.onChunk(chunk -> guard(() -> onChunk(chunk)));
        created.onEnd(trailers -> guard(() -> onEnd(trailers)));
        timeout.start(upstream.options().responseTimeout().toMillis());
        guard(() -> body.send(created));
        if (created == stream) {
            created.watchUnopened();
        }
    }

    /** Runs a step. If it fails, the exchange fails: Vert.x would only log the failure. */
    private void guard(Runnable step) {
        if (ended) {
            return;
        }
        try {
            step.run();
        } catch (RuntimeException | Error e) {
            abandon(e);
        }
    }

    private void onHead(HttpResponseHead head) {
        onProgress();
        status = head.statusCode;
        if (status == 101 && forwarded.webSocket() && head.headers.contains(HttpHeaders.UPGRADE, "websocket", true)) {
            openTunnel(head);
            return;
        }
        if (status < 200 || status > MAX_STATUS) {
            onFailure(new UpstreamException(Cause.INVALID_RESPONSE, null));
            return;
        }
        onAccepted();
        boolean eventStream = isEventStream(head.headers.get(HttpHeaders.CONTENT_TYPE));
        if (eventStream && !beginStream()) {
            return;
        }
        timeout.setIdleMillis((eventStream ? upstream.options().eventStreamIdleTimeout() : upstream.options().idleTimeout())
                .toMillis());
        HopByHopHeaders.removeFromResponse(head.headers);
        listener.onResponse(status, head.headers);
        if (clientGone && listener.drainMillis() == 0) {
            stopDraining(); // the head was all that the listener has waited for
        } else if (!clientGone) {
            clientResponse = new ClientResponse(context, !stream.isHttp2());
            clientResponse.begin(head);
            if (stream.isHttp2()) {
                loopContext.runOnContext(ended -> onReadComplete()); // the end of the stream, if it comes with the head, is before
            }
        }
    }

    private void onAccepted() {
        accepted = true;
        long nanos = System.nanoTime() - startNanos;
        upstream.metrics().onHead(status, nanos);
        upstream.health().onSuccess();
        var record = RequestRecord.of(context);
        if (record != null) {
            record.onUpstreamResponse(upstream.name(), nanos);
        }
    }

    private static boolean isEventStream(String contentType) {
        return contentType != null && (contentType.regionMatches(true, 0, "text/event-stream", 0, 17)
                || contentType.regionMatches(true, 0, "application/grpc", 0, 16));
    }

    /** Counts the connection as that of a stream; otherwise fails the exchange, and returns false. */
    private boolean beginStream() {
        if (pool.tryBeginStream(stream.connection())) {
            return true;
        }
        fail(new UpstreamException(Cause.NO_FREE_CONNECTION, null));
        return false;
    }

    private void openTunnel(HttpResponseHead head) {
        onAccepted();
        if (!beginStream()) {
            return;
        }
        listener.onResponse(status, head.headers);
        if (clientGone) {
            stopDraining();
            return;
        }
        upstream.metrics().onComplete(UpstreamMetrics.SUCCESS);
        end();
        new WebSocketTunnel(upstream, pool.timer(), context, stream).open(head);
    }

    private void onChunk(Buffer chunk) {
        onProgress();
        var passing = listener.onChunk(chunk);
        if (clientGone) {
            return;
        }
        clientResponse.write(passing);
        if (!ended && !clientGone && !paused && clientResponse.isQueueFull()) { // writing may have ended the exchange
            paused = true;
            timeout.setSuspended(true);
            stream.pause();
            clientResponse.onDrained(this::resume);
        }
    }

    private void resume() {
        if (paused && !ended) {
            paused = false;
            timeout.setSuspended(false);
            stream.resume();
            loopContext.runOnContext(delivered -> onReadComplete()); // what was queued is delivered before, outside of a read
        }
    }

    /** Called when a read from the upstream's connection is complete. */
    private void onReadComplete() {
        if (clientResponse != null && !ended && !clientGone) {
            loopContext.emit(clientResponse, response -> guard(response::flush));
        }
    }

    private void onEnd(MultiMap trailers) {
        if (clientResponse == null && !clientGone) {
            onFailure(new UpstreamException(Cause.INVALID_RESPONSE, null));
            return;
        }
        var rest = listener.onEnd();
        end();
        upstream.metrics().onComplete(clientGone
                ? UpstreamMetrics.CLIENT_ABORTED
                : status >= 500 ? UpstreamMetrics.SERVER_ERROR : UpstreamMetrics.SUCCESS);
        if (!body.isSent() || forwarded.webSocket()) { // not all was read, or the connection can only be upgraded
            body.discard();
            cancelStream();
        }
        if (!clientGone) {
            clientResponse.end(rest, trailers);
        }
        listener.onComplete();
    }

    private void onFailure(Throwable failure) {
        if (ended) {
            return;
        }
        if (clientResponse == null && !clientGone && !repeated && RetryPolicy.allows(failure, body, stream)) {
            repeat();
            return;
        }
        fail(UpstreamException.exchanging(failure));
    }

    private void repeat() {
        LOG.debugf("Connection to %s was closed: the request is sent again", upstream.url());
        repeated = true;
        upstream.metrics().onRetry();
        timeout.stop();
        if (stream != null) {
            stream.releaseUnopened();
            stream = null;
        }
        body.detach();
        pool.acquire(this, true);
    }

    private void fail(UpstreamException failure) {
        if (ended) {
            return;
        }
        LOG.debug("Request to the upstream failed", failure);
        end();
        upstream.metrics().onComplete(failure.kind().outcome());
        if (!accepted) {
            upstream.metrics().onNoHead(failure.kind(), System.nanoTime() - startNanos);
        }
        if (failure.kind().isUpstreamFault()) {
            upstream.health().onFailure(failure);
        }
        cancelStream();
        if (clientGone) {
            listener.onAborted();
        } else if (clientResponse != null && clientResponse.hasBegun()) {
            if (failure.kind() == Cause.SHUTDOWN) {
                listener.onUnread();
            } else {
                listener.onAborted();
            }
            clientResponse.abort();
        } else {
            body.discard();
            listener.onFailure(failure);
        }
    }

    /** Ends an exchange of which a step has thrown an exception. */
    private void abandon(Throwable fault) {
        if (ended && clientResponse != null && !clientResponse.isEnded()) { // the end of the response cannot be written
            LOG.debug("A response could not be completed", fault);
            clientResponse.abort();
            return;
        }
        if (ended) {
            LOG.error("A step of an exchange failed after its end", fault);
            return;
        }
        if (fault instanceof IllegalArgumentException) { // a header field that cannot be written
            onFailure(fault);
            return;
        }
        end();
        upstream.metrics().onComplete(UpstreamMetrics.ERROR);
        cancelStream();
        if (clientResponse != null && clientResponse.hasBegun()) {
            LOG.error("A response could not be forwarded", fault);
            listener.onFault();
            clientResponse.abort();
        } else {
            listener.onFailure(fault);
        }
    }

    @Override
    public void onBufferSent() {
        listener.onRequestSent();
    }

    @Override
    public void onBodyAborted(boolean malformed) {
        if (!ended && malformed) {
            fail(new UpstreamException(Cause.INVALID_REQUEST, null));
        } else {
            onClientGone();
        }
    }

    private void onClientGone() {
        if (clientGone || ended) {
            return;
        }
        clientGone = true;
        long drainMillis = body.isSent() ? listener.drainMillis() : 0;
        if (drainMillis > 0 && stream != null) {
            timeout.drainFor(drainMillis);
            resume();
            return;
        }
        end();
        pool.cancel(this);
        upstream.metrics().onComplete(UpstreamMetrics.CLIENT_ABORTED);
        cancelStream();
        listener.onCancelled();
    }

    @Override
    public void onProgress() {
        timeout.onProgress();
    }

    private void onIdle() {
        fail(new UpstreamException(lateCause(), null));
    }

    private void stopDraining() {
        if (!ended) {
            end();
            upstream.metrics().onComplete(UpstreamMetrics.CLIENT_ABORTED);
            cancelStream();
            listener.onUnread();
        }
    }

    @Override
    public CompletableFuture<Void> abort() {
        var aborted = new CompletableFuture<Void>();
        loopContext.runOnContext(now -> {
            if (ended || clientGone) { // the end of a response that has ended is not reported again
                stopDraining();
                aborted.complete(null);
            } else {
                context.addEndHandler(responded -> aborted.complete(null));
                fail(new UpstreamException(Cause.SHUTDOWN, null));
            }
        });
        return aborted;
    }

    private Cause lateCause() {
        if (clientResponse != null) {
            return Cause.IDLE_TIMEOUT;
        }
        return body.isReceived() || body.isBlockedByUpstream() ? Cause.RESPONSE_TIMEOUT : Cause.CLIENT_TIMEOUT;
    }

    private void cancelStream() {
        if (stream != null) {
            var cancelled = stream;
            stream = null;
            cancelled.cancel();
        }
    }

    private void end() {
        ended = true;
        upstream.inFlight().remove(this);
        timeout.stop();
    }
}
