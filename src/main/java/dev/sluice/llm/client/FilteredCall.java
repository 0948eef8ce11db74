package dev.sluice.llm.client;

import org.jboss.resteasy.reactive.client.impl.RestClientRequestContext;

import dev.sluice.llm.limit.AdmittedCall;
import dev.sluice.llm.protocol.ProviderOperation;

/** A decided call on its way through a REST client. */
final class FilteredCall {

    private final RestClientRequestContext context;
    private final ProviderOperation operation;
    private final AdmittedCall open;

    FilteredCall(RestClientRequestContext context, ProviderOperation operation, AdmittedCall open) {
        this.context = context;
        this.operation = operation;
        this.open = open;
    }

    ProviderOperation operation() {
        return operation;
    }

    AdmittedCall open() {
        return open;
    }

    boolean allowed() {
        return open.decision().allowed();
    }

    /** The call is to be sent. @return false where nobody waits for its answer any more */
    boolean begin() {
        if (context.isUserCanceled()) {
            open.release(false);
            return false;
        }
        // Response filters do not see every end: another that runs before them may throw.
        context.getResult().whenComplete((answer, failure) -> end(failure));
        return true;
    }

    private void end(Throwable failure) {
        int status = context.getResponseStatus();
        if (context.isAborted()) {
            open.release(false);
        } else if (success(status)) {
            if (failure != null || !readLater()) {
                open.settleEstimated(open.estimatedUsage());
            }
        } else if (status == 0 && context.isUserCanceled() && context.getHttpClientRequest() != null) {
            // It is on its way, and nobody will hear what it came to.
            open.settleEstimated(open.estimatedUsage());
        } else {
            open.release(status == 429);
        }
    }

    /** Whether this is the provider's answer, as far as it has come, and not an error. */
    boolean answered() {
        return context.getThrowable() == null && !context.isAborted() && success(context.getResponseStatus());
    }

    private static boolean success(int status) {
        return status >= 200 && status < 300;
    }

    /** Whether the answer passes elsewhere: in a {@code Multi}, into a file. */
    boolean unread() {
        return !context.isRegisterBodyHandler() || context.isFileDownload();
    }

    /** Whether the caller gets the answer's stream, and reads it at leisure. */
    boolean readLater() {
        return context.isInputStreamDownload()
                || context.isJakartaResponseDownload() && !context.invokedMethodReturnsAsyncType();
    }
}
