package dev.sluice.llm.client;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

import org.jspecify.annotations.Nullable;

import dev.sluice.llm.limit.AdmittedCall;
import dev.sluice.llm.protocol.ProviderOperation.Shape;
import dev.sluice.llm.protocol.UsageExtractor;
import dev.sluice.llm.protocol.rewrite.UsageChunkFilter;
import dev.sluice.llm.protocol.stream.SseEventReader;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.vertx.MultiHelper;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonObject;

/**
 * Reads the events of one streamed call and settles it when the stream ends. Thread-safe: the response arrives on an event
 * loop, cancellation on any thread.
 */
final class LlmEventStream {

    private final AdmittedCall call;
    private final Shape shape;
    /** Null if the response is passed on unchanged. */
    private final @Nullable UsageChunkFilter usageFilter;
    private final SseEventReader eventReader = new SseEventReader();
    /** The body of a response that is not an event stream; otherwise null. */
    private @Nullable Buffer plainBody;
    /** Null until the response has begun. */
    private @Nullable UsageExtractor extractor;

    /** @param removeUsage whether to remove the usage chunk, which only this client has requested */
    LlmEventStream(AdmittedCall call, Shape shape, boolean removeUsage) {
        this.call = call;
        this.shape = shape;
        this.usageFilter = removeUsage ? new UsageChunkFilter() : null;
    }

    /**
     * Returns the events of a response.
     *
     * @param response must be paused
     */
    synchronized Multi<JsonObject> read(HttpClientResponse response) {
        var type = response.getHeader(HttpHeaders.CONTENT_TYPE);
        extractor = UsageExtractor.of(call.provider(), shape, type, response.getHeader(HttpHeaders.CONTENT_ENCODING));
        plainBody = type != null && type.strip().toLowerCase(Locale.ROOT).startsWith("text/event-stream")
                ? null
                : Buffer.buffer();
        var chunks = MultiHelper.toMulti(response).onCancellation().invoke(() -> abort(response));
        var received = chunks.onItem().transformToMultiAndConcatenate(chunk -> Multi.createFrom().iterable(decode(chunk)));
        var remaining = Multi.createFrom().deferred(() -> Multi.createFrom().iterable(remainingEvents()));
        return Multi.createBy().concatenating().streams(received, remaining).filter(data -> !data.equals("[DONE]"))
                .map(data -> parseJson(response.statusCode(), data));
    }

    private static void abort(HttpClientResponse response) {
        response.exceptionHandler(expected -> {
        });
        response.request().reset();
    }

    private synchronized List<String> decode(Buffer chunk) {
        extractor.feed(chunk);
        if (plainBody != null) {
            plainBody.appendBuffer(chunk);
            return List.of();
        }
        return eventReader.feed(usageFilter == null ? chunk : usageFilter.feed(chunk));
    }

    private synchronized List<String> remainingEvents() {
        if (plainBody != null) {
            return List.of(plainBody.toString());
        }
        var last = new ArrayList<String>();
        if (usageFilter != null) {
            last.addAll(eventReader.feed(usageFilter.end()));
        }
        last.addAll(eventReader.end());
        return last;
    }

    private JsonObject parseJson(int status, String data) {
        try {
            return new JsonObject(data);
        } catch (DecodeException e) {
            throw new LlmException(call.provider().id() + " sent an event that is not a JSON object", status, data, null);
        }
    }

    /** Settles the call when the stream has completed, failed or been cancelled. */
    synchronized void onTermination(Throwable failure, boolean cancelled) {
        if (extractor == null) {
            if (cancelled) {
                // The request may have been sent, and its response will not be received.
                call.settleEstimated(call.estimatedUsage());
            } else {
                ProviderHttpClient.end(call, failure);
            }
            return;
        }
        call.settle(extractor);
    }
}
