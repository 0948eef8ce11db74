package dev.sluice.llm.client;

import org.jspecify.annotations.Nullable;

/** A provider did not answer a call, or not as it should. */
public class LlmException extends RuntimeException {

    private static final long serialVersionUID = 1;

    private final int status;
    private final String body;

    /**
     * @param status what the provider answered; 0 where it did not
     * @param body what it said; empty where it said nothing
     * @param cause null where there is none
     */
    public LlmException(String message, int status, String body, @Nullable Throwable cause) {
        super(message, cause);
        this.status = status;
        this.body = body;
    }

    /** The status of the provider's answer; 0 where there was none. */
    public int status() {
        return status;
    }

    /** The body of the provider's answer; empty where it had none. */
    public String body() {
        return body;
    }
}
