package dev.sluice.window;

import dev.sluice.limit.StoreUnavailableException;
import io.vertx.core.Future;

/** Redis did not answer a decision in time; it may do so yet. */
final class UnansweredException extends StoreUnavailableException {

    private static final long serialVersionUID = 1;

    private final transient Future<Outcome> answer;

    UnansweredException(Future<Outcome> answer) {
        super("Redis did not answer in time", null);
        this.answer = answer;
    }

    /** Completes when Redis answers, or when it is certain that it will not. */
    Future<Outcome> answer() {
        return answer;
    }
}
