package dev.sluice.llm.client;

import org.jboss.resteasy.reactive.client.impl.RestClientRequestContext;

import dev.sluice.llm.limit.AdmittedCall;
import dev.sluice.llm.protocol.ProviderOperation;

/** Decided LLM call of a REST client with {@link LlmRateLimitFilter}. */
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

    /**
     * Registers the call's settlement before it is sent.
     *
     * @return false if the caller has cancelled; the reservation is then released
     */
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
        } else if (status == 0 && context.getHttpClientRequest() != null
                && (context.isUserCanceled() || ProviderHttpClient.isResponseTimeout(failure))) {
            // The request has been sent, and its response will not be received.
            admittedCall.settleEstimated(admittedCall.estimatedUsage());
        } else {
            admittedCall.release(status == 429);
        }
    }

    /** Returns whether the provider has responded with a success status. The body may still be incomplete. */
    boolean succeeded() {
        return context.getThrowable() == null && !context.isAborted() && isSuccess(context.getResponseStatus());
    }

    private static boolean isSuccess(int status) {
        return status >= 200 && status < 300;
    }

    /** Returns whether the response body does not pass through response filters: a {@code Multi} or a file. */
    boolean bypassesFilter() {
        return !context.isRegisterBodyHandler() || context.isFileDownload();
    }

    /** Returns whether the caller receives the body as a stream and reads it after the method has returned. */
    boolean isStreamed() {
        return context.isInputStreamDownload()
                || context.isJakartaResponseDownload() && !context.invokedMethodReturnsAsyncType();
    }
}
