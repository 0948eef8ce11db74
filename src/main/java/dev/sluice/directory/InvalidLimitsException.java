package dev.sluice.directory;

/** Thrown when a part of a document is not valid. */
public class InvalidLimitsException extends Exception {

    private static final long serialVersionUID = 1;

    private final String pointer;

    /**
     * @param pointer JSON pointer (RFC 6901) to the invalid value, from the value that was parsed: {@code /llm/tokens}; empty for that
     *        value itself
     * @param message what is allowed
     */
    public InvalidLimitsException(String pointer, String message) {
        super(message, null, false, false);
        this.pointer = pointer;
    }

    /** Returns the JSON pointer to the invalid value. */
    public String pointer() {
        return pointer;
    }
}
