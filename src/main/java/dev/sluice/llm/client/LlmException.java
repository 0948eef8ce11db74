package dev.sluice.llm.client;

import org.jspecify.annotations.Nullable;

/**
 * Thrown when a provider rejects a call, does not respond, or responds with something that is not valid for its API. API
 * keys are redacted from the body.
 */
public class LlmException extends RuntimeException {

    private static final long serialVersionUID = 1;

    private final int status;
    private final String body;

    /**
     * @param message the error message
     * @param status the HTTP status of the provider's response; 0 if there was none
     * @param body the body of the provider's response; empty if there was none
     * @param cause the cause; may be null
     */
    public LlmException(String message, int status, String body, @Nullable Throwable cause) {
        super(message, cause);
        this.status = status;
        this.body = body;
    }

    /**
     * Returns the HTTP status of the provider's response.
     *
     * @return 100 to 599; 0 if the provider did not respond
     */
    public int status() {
        return status;
    }

    /**
     * Returns the body of the provider's response, with the API key redacted.
     *
     * @return the body as text; empty if there was none
     */
    public String body() {
        return body;
    }

    /** Returns whether a failure is a rejection by the provider's own rate limit (429). */
    static boolean isRateLimited(Throwable failure) {
        return failure instanceof LlmException rejection && rejection.status == 429;
    }
}
