package dev.sluice.llm.protocol;

/** Thrown when the body of an LLM request cannot be parsed. Has no stack trace. */
public class InvalidRequestBodyException extends RuntimeException {

    private static final long serialVersionUID = 1;

    /** @param message the reason, for the caller; must not contain anything from the body */
    public InvalidRequestBodyException(String message) {
        super(message, null, false, false);
    }
}
