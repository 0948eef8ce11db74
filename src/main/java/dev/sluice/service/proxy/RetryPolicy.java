package dev.sluice.service.proxy;

import dev.sluice.service.proxy.connection.UpstreamException;
import dev.sluice.service.proxy.connection.UpstreamStream;
import io.vertx.core.http.StreamResetException;

/**
 * Decides whether a request whose connection has failed may be sent again: if the upstream has not processed it, or has just closed a
 * kept connection and the request is idempotent.
 */
final class RetryPolicy {

    private static final long REFUSED_STREAM = 7;

    private RetryPolicy() {
    }

    /** @param stream null if the failure came before there was one */
    static boolean allows(Throwable failure, RequestBody body, UpstreamStream stream) {
        if (failure instanceof UpstreamException) {
            return false;
        }
        if (isNotProcessed(failure, stream)) {
            return !body.isConsumed();
        }
        return body.isRepeatable() && (!body.isHeadSent()
                || stream != null && stream.connection().isReused() && !stream.hasReceived()
                        && !(failure instanceof StreamResetException));
    }

    private static boolean isNotProcessed(Throwable failure, UpstreamStream stream) {
        return stream != null && stream.isNotProcessed()
                || failure instanceof StreamResetException reset && reset.getCode() == REFUSED_STREAM;
    }
}
