package dev.sluice.llm.client;

import org.jboss.resteasy.reactive.client.impl.RestClientRequestContext;

import dev.sluice.llm.limit.AdmittedCall;
import dev.sluice.llm.protocol.ProviderOperation;

/** A decided call on its way through a REST client. */
final class FilteredCall {

    private final RestClientRequestContext context;
    private final ProviderOperation operation;
    private final AdmittedCall admittedCall;

    FilteredCall(RestClientRequestContext context, ProviderOperation operation, AdmittedCall admittedCall) {
        this.context = context;
        this.operation = operation;
        this.admittedCall = admittedCall;
    }

    ProviderOperation operation() {
        return operation;
    }

    AdmittedCall admittedCall() {
        return admittedCall;
    }

    boolean allowed() {
        return admittedCall.decision().allowed();
    }

    /** The call is to be sent. @return false where nobody waits for its answer any more */
    boolean start() {
        if (context.isUserCanceled()) {
            admittedCall.release(false);
            return false;
        }
        // Response filters do not see every end: another that runs before them may throw.
        context.getResult().whenComplete((response, failure) -> end(failure));
        return true;
    }

    private void end(Throwable failure) {
        int status = context.getResponseStatus();
        if (context.isAborted()) {
            admittedCall.release(false);
        } else if (isSuccess(status)) {
            if (failure != null || !isStreamed()) {
                admittedCall.settleEstimated(admittedCall.estimatedUsage());
            }
        } else if (status == 0 && context.isUserCanceled() && context.getHttpClientRequest() != null) {
            // It is on its way, and nobody will hear what it came to.
            admittedCall.settleEstimated(admittedCall.estimatedUsage());
        } else {
            admittedCall.release(status == 429);
        }
    }

    /** Whether this is the provider's answer, as far as it has come, and not an error. */
    boolean succeeded() {
        return context.getThrowable() == null && !context.isAborted() && isSuccess(context.getResponseStatus());
    }

    private static boolean isSuccess(int status) {
        return status >= 200 && status < 300;
    }

    /** Whether the answer passes elsewhere: in a {@code Multi}, into a file. */
    boolean bypassesFilter() {
        return !context.isRegisterBodyHandler() || context.isFileDownload();
    }

    /** Whether the caller gets the answer's stream, and reads it at leisure. */
    boolean isStreamed() {
        return context.isInputStreamDownload()
                || context.isJakartaResponseDownload() && !context.invokedMethodReturnsAsyncType();
    }
}
