package dev.sluice.store;

import dev.sluice.api.StoreUnavailableException;
import io.vertx.core.Future;

/** Redis did not answer a decision in time; it may do so yet. */
public final class ResponseTimeoutException extends StoreUnavailableException {

    private static final long serialVersionUID = 1;

    private final transient Future<StoreResult> lateResult;

    public ResponseTimeoutException(Future<StoreResult> lateResult) {
        super("Redis did not answer in time", null);
        this.lateResult = lateResult;
    }

    /** Completes when Redis answers, or when it is certain that it will not. */
    public Future<StoreResult> lateResult() {
        return lateResult;
    }
}
