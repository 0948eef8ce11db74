package dev.sluice.llm.client;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

import org.jspecify.annotations.Nullable;

import dev.sluice.llm.limit.AdmittedCall;
import dev.sluice.llm.protocol.ProviderOperation.Shape;
import dev.sluice.llm.protocol.UsageChunkFilter;
import dev.sluice.llm.protocol.UsageExtractor;
import dev.sluice.llm.protocol.stream.SseEventReader;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.vertx.MultiHelper;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonObject;

/** The events of one call, and what they come to. */
final class LlmEventStream {

    private final AdmittedCall call;
    private final Shape shape;
    /** Null where what comes is what was asked for. */
    private final @Nullable UsageChunkFilter stripper;
    private final SseEventReader events = new SseEventReader();
    /** What came in place of events; null where they did come. */
    private @Nullable Buffer document;
    /** Null until the answer has begun. */
    private @Nullable UsageExtractor usage;

    /** @param strip whether the usage was asked for by nobody but this client */
    LlmEventStream(AdmittedCall call, Shape shape, boolean strip) {
        this.call = call;
        this.shape = shape;
        this.stripper = strip ? new UsageChunkFilter() : null;
    }

    /** @param answer paused */
    synchronized Multi<JsonObject> of(HttpClientResponse answer) {
        var type = answer.getHeader(HttpHeaders.CONTENT_TYPE);
        usage = UsageExtractor.of(call.provider(), shape, type, answer.getHeader(HttpHeaders.CONTENT_ENCODING));
        document = type != null && type.strip().toLowerCase(Locale.ROOT).startsWith("text/event-stream")
                ? null
                : Buffer.buffer();
        var chunks = MultiHelper.toMulti(answer).onCancellation().invoke(() -> leave(answer));
        var read = chunks.onItem().transformToMultiAndConcatenate(chunk -> Multi.createFrom().iterable(events(chunk)));
        var rest = Multi.createFrom().deferred(() -> Multi.createFrom().iterable(rest()));
        return Multi.createBy().concatenating().streams(read, rest).filter(data -> !data.equals("[DONE]"))
                .map(data -> json(answer.statusCode(), data));
    }

    private static void leave(HttpClientResponse answer) {
        answer.exceptionHandler(expected -> {
        });
        answer.request().reset();
    }

    private synchronized List<String> events(Buffer chunk) {
        usage.feed(chunk);
        if (document != null) {
            document.appendBuffer(chunk);
            return List.of();
        }
        return events.feed(stripper == null ? chunk : stripper.feed(chunk));
    }

    private synchronized List<String> rest() {
        if (document != null) {
            return List.of(document.toString());
        }
        var last = new ArrayList<String>();
        if (stripper != null) {
            last.addAll(events.feed(stripper.end()));
        }
        last.addAll(events.end());
        return last;
    }

    private JsonObject json(int status, String data) {
        try {
            return new JsonObject(data);
        } catch (DecodeException e) {
            throw new LlmException(call.provider().id() + " sent an event that is no JSON object", status, data, null);
        }
    }

    /** The stream has come to its end, or to ours. */
    synchronized void ended(Throwable failure, boolean cancelled) {
        if (usage == null) {
            if (cancelled) {
                // It is on its way, and nobody will hear what it came to.
                call.estimated(call.estimate());
            } else {
                call.failed(LlmClient.limited(failure));
            }
            return;
        }
        call.settle(usage);
    }
}
