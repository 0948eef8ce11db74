package dev.sluice.service.llm;

import org.jboss.logging.Logger;

import dev.sluice.llm.limit.AdmittedCall;
import dev.sluice.llm.protocol.ProviderOperation;
import dev.sluice.llm.protocol.UsageExtractor;
import dev.sluice.llm.protocol.rewrite.UsageChunkFilter;
import dev.sluice.service.llm.models.ModelListFilter;
import io.vertx.core.MultiMap;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;

/** Extracts the token usage from a response while it is relayed, and settles the call with it. */
class UsageMeter {

    /** Ends a call whose usage is reported to a later request. */
    interface Deferral {

        /** No call. */
        Deferral NONE = new Deferral() {
        };

        /**
         * Called after each part of a response.
         *
         * @param extractor has received the response so far
         */
        default void onProgress(AdmittedCall call, UsageExtractor extractor) {
        }

        /**
         * Called at the end of a response, possibly more than once.
         *
         * @param extractor has received the response so far
         * @return whether the call has been deferred, and must not be settled
         */
        default boolean defer(AdmittedCall call, UsageExtractor extractor) {
            return false;
        }
    }

    private static final Logger LOG = Logger.getLogger(UsageMeter.class);

    /** Null if the call is not counted. */
    private final AdmittedCall call;
    private final ProviderOperation operation;
    private final boolean stripUsage;
    private final Deferral deferral;
    /** Null unless the response is a list of models, of which only some may be called. */
    private final ModelListFilter modelFilter;
    private boolean responding;
    private boolean filtersModels;
    /** Null until a successful response begins. */
    private UsageExtractor usageExtractor;
    /** Null if the response passes unchanged. */
    private UsageChunkFilter usageChunkFilter;

    /**
     * @param call null if the call is not counted
     * @param stripUsage whether Sluice requested usage that the client did not request
     */
    UsageMeter(AdmittedCall call, ProviderOperation operation, boolean stripUsage, Deferral deferral) {
        this(call, operation, stripUsage, deferral, null);
    }

    /**
     * @param call null if the call is not counted
     * @param stripUsage whether Sluice requested usage that the client did not request
     * @param modelFilter filters a list of models; null for another response, and where all models may be called
     */
    UsageMeter(AdmittedCall call, ProviderOperation operation, boolean stripUsage, Deferral deferral,
            ModelListFilter modelFilter) {
        this.modelFilter = modelFilter;
        this.deferral = deferral;
        this.call = call;
        this.operation = operation;
        this.stripUsage = stripUsage;
    }

    /** Begins a response; a response with an error status ends the call as failed. */
    void begin(int status, MultiMap headers) {
        responding = true;
        if (call == null) {
            beginModelList(status, headers);
            return;
        }
        if (!isSuccess(status)) {
            call.release(status == 429);
            return;
        }
        var encoding = headers.get(HttpHeaders.CONTENT_ENCODING);
        usageExtractor = call.usageExtractor(operation.shape(), headers.get(HttpHeaders.CONTENT_TYPE), encoding);
        if (stripUsage && encoding == null) {
            usageChunkFilter = new UsageChunkFilter();
            headers.remove(HttpHeaders.CONTENT_LENGTH);
        }
    }

    private void beginModelList(int status, MultiMap headers) {
        filtersModels = modelFilter != null && isSuccess(status);
        if (filtersModels) {
            headers.remove(HttpHeaders.CONTENT_LENGTH);
            var encoding = headers.get(HttpHeaders.CONTENT_ENCODING);
            if (encoding != null && !encoding.equalsIgnoreCase("identity")) { // was not accepted
                headers.remove(HttpHeaders.CONTENT_ENCODING);
                modelFilter.discard();
            }
        }
    }

    /** Returns whether the response, or the rest of it, is needed to settle the call. */
    boolean isExpectingUsage() {
        return call != null && (usageExtractor != null || !responding);
    }

    void read(Buffer chunk) {
        if (usageExtractor == null) {
            return;
        }
        usageExtractor.feed(chunk);
        deferral.onProgress(call, usageExtractor);
        if (!operation.streaming() && usageExtractor.isComplete()) {
            settle(); // before the client receives the end of the response
        }
    }

    /** Returns the part of a chunk that is for the client. */
    Buffer filter(Buffer chunk) {
        if (filtersModels) {
            return modelFilter.feed(chunk);
        }
        return usageChunkFilter == null ? chunk : usageChunkFilter.feed(chunk);
    }

    /** Returns what the filter has held back for the client at the end of the response. */
    Buffer rest() {
        if (filtersModels) {
            return modelFilter.end();
        }
        return usageChunkFilter == null ? Buffer.buffer() : usageChunkFilter.end();
    }

    /** Settles the call with the usage known so far, completed by the estimate. */
    void settle() {
        if (!isExpectingUsage()) {
            return; // not counted, or already settled as failed
        }
        if (usageExtractor == null) {
            call.settleEstimated(call.estimatedUsage());
            return;
        }
        try {
            if (!deferral.defer(call, usageExtractor)) {
                call.settle(usageExtractor);
            }
        } catch (RuntimeException | Error e) {
            LOG.error("Usage of a response could not be extracted; the estimate is recorded", e);
            call.settleEstimated(call.estimatedUsage()); // without effect if the call has been settled
        }
    }

    /**
     * Settles a call whose client has left before the end of the response: with its output so far, but not less than is reserved. Output
     * that has not been read, and reasoning that is not shown, may cost more.
     */
    void settleUnread() {
        if (call != null && isExpectingUsage()) {
            call.expectReservedOutput();
        }
        settle();
    }

    /** Settles a call that Sluice could not complete with its estimate if the provider will charge for it. */
    void abandon(int status) {
        if (call != null && isSuccess(status)) {
            call.settleEstimated(call.estimatedUsage());
        }
    }

    static boolean isSuccess(int status) {
        return status >= 200 && status < 300;
    }
}
