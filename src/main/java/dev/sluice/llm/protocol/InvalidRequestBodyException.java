package dev.sluice.llm.protocol;

/** A call's body cannot be read. */
public class InvalidRequestBodyException extends RuntimeException {

    private static final long serialVersionUID = 1;

    /** @param message for the caller; it never repeats what was sent */
    public InvalidRequestBodyException(String message) {
        super(message, null, false, false);
    }
}
