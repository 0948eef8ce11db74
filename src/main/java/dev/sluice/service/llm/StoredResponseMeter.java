package dev.sluice.service.llm;

import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderOperation.Shape;
import dev.sluice.llm.protocol.UsageExtractor;
import io.vertx.core.MultiMap;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;

/** Reads the state of a stored response while it is relayed, and settles its call if that has ended. */
final class StoredResponseMeter extends UsageMeter {

    /** As of a request's body: a decompression bomb is not read any further. */
    private static final long MAX_INFLATED_BYTES = 32 << 20;

    private final DeferredCalls calls;
    private final Provider provider;
    private final String id;
    private final boolean deleting;
    /** Null before a successful response, and after the call has been settled. */
    private UsageExtractor extractor;

    /** @param deleting whether the response is deleted, so that no later request can report its end */
    StoredResponseMeter(DeferredCalls calls, Provider provider, String id, boolean deleting) {
        super(null, null, false, Deferral.NONE);
        this.deleting = deleting;
        this.calls = calls;
        this.provider = provider;
        this.id = id;
    }

    @Override
    void begin(int status, MultiMap headers) {
        if (isSuccess(status)) {
            extractor = UsageExtractor.of(provider, Shape.RESPONSES, headers.get(HttpHeaders.CONTENT_TYPE),
                    headers.get(HttpHeaders.CONTENT_ENCODING), MAX_INFLATED_BYTES);
        }
    }

    @Override
    boolean isExpectingUsage() {
        return extractor != null;
    }

    @Override
    void read(Buffer chunk) {
        if (extractor != null) {
            extractor.feed(chunk);
            if (extractor.isComplete()) {
                settle(); // before the client receives the end of the response
            }
        }
    }

    @Override
    void settle() {
        if (extractor != null) {
            extractor.end();
            if (deleting) {
                calls.onDeleted(provider, id);
            } else if (extractor.isComplete()) {
                calls.onState(provider, id, extractor);
            }
            extractor = null;
        }
    }
}
