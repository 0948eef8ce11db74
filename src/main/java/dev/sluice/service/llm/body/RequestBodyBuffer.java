package dev.sluice.service.llm.body;

import java.util.function.Function;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;

import dev.sluice.llm.config.LlmConfig;
import dev.sluice.service.edge.ExpectContinue;
import dev.sluice.service.edge.LoopTimers;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;

/**
 * Buffers request bodies, which must be parsed before a call is decided. Bounds the size of each, the total, and the time
 * without progress. Bodies that are large or compressed are decoded and parsed by {@link BodyWorkers}.
 */
@ApplicationScoped
public class RequestBodyBuffer {

    /** How much more often than its interval the transfer rate is considered. */
    private static final int CHECKS = 10;
    private static final String CONTEXT_KEY = "dev.sluice.llm.body";

    private final LoopTimers timers;
    private final BodyWorkers workers;
    private final BodyReader.Limits limits;
    private final HeldBytes heldBytes;

    @Inject
    RequestBodyBuffer(LlmConfig settings, BodyWorkers workers) {
        this(workers, (int) settings.maxBodySize().asLongValue(), Runtime.getRuntime().maxMemory() / 4,
                settings.bodyTimeout().toMillis());
    }

    RequestBodyBuffer(BodyWorkers workers, int maxBytes, long maxTotalBytes, long checkMillis) {
        this.timers = new LoopTimers(Math.max(1, checkMillis / CHECKS));
        this.workers = workers;
        this.limits = new BodyReader.Limits(maxBytes, checkMillis);
        this.heldBytes = new HeldBytes(maxTotalBytes);
    }

    /** Returns the number of bytes currently held: bodies as received and as decoded, and the windows of decoders. */
    public long heldBytes() {
        return heldBytes.total();
    }

    /**
     * Reads, decodes and parses a body; fails with {@link BodyRejectedException}, or as the parser does. Its bytes count as held
     * until it is released or the response has ended. A body that has been read is not encoded any more: {@code Content-Encoding}
     * is removed from the request.
     *
     * @param parser may run on any thread
     * @return completes on the current context
     */
    public <T> Future<T> read(RoutingContext context, Function<Buffer, T> parser) {
        var request = context.request();
        ContentCodings codings;
        try {
            codings = ContentCodings.parse(request.headers().getAll(HttpHeaders.CONTENT_ENCODING));
        } catch (BodyRejectedException e) {
            return Future.failedFuture(e);
        }
        long length = parseLength(request.getHeader(HttpHeaders.CONTENT_LENGTH));
        if (length > limits.maxBytes()) {
            return Future.failedFuture(LimitedInputStream.tooLarge(limits.maxBytes()));
        }
        ExpectContinue.accept(request);
        var reader = new BodyReader(timers.current(), workers, limits, context, codings, heldBytes.newShare(), length);
        context.put(CONTEXT_KEY, reader);
        return reader.read(parser).onSuccess(parsed -> request.headers().remove(HttpHeaders.CONTENT_ENCODING));
    }

    /** Releases the bytes of a body that has been forwarded. */
    public void release(RoutingContext context) {
        if (context.get(CONTEXT_KEY) instanceof BodyReader reader) {
            reader.release();
        }
    }

    /** Returns the length; -1 if it is unknown. */
    private static long parseLength(String length) {
        try {
            return length == null ? -1 : Long.parseLong(length);
        } catch (NumberFormatException e) {
            return -1;
        }
    }
}
