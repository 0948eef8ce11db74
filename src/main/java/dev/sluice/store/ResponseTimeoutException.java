package dev.sluice.store;

import dev.sluice.api.StoreUnavailableException;
import io.vertx.core.Future;

/** Indicates that Redis did not reply to a decision within the timeout. The reply may still arrive. */
public final class ResponseTimeoutException extends StoreUnavailableException {

    private static final long serialVersionUID = 1;

    private final transient Future<StoreResult> lateResult;

    public ResponseTimeoutException(Future<StoreResult> lateResult) {
        super("Redis did not reply in time", null);
        this.lateResult = lateResult;
    }

    /** Completes when Redis replies; fails when it is certain that no reply will come. */
    public Future<StoreResult> lateResult() {
        return lateResult;
    }
}
