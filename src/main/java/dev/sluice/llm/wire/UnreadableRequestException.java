package dev.sluice.llm.wire;

/** A call's body cannot be read. */
public class UnreadableRequestException extends RuntimeException {

    private static final long serialVersionUID = 1;

    /** @param message for the caller; it never repeats what was sent */
    public UnreadableRequestException(String message) {
        super(message, null, false, false);
    }
}
