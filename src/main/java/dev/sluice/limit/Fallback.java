package dev.sluice.limit;

/** What answers while Redis is out of reach. */
public enum Fallback {
    /** Windows in this instance's memory, each under this instance's part of the limit. */
    LOCAL,
    /** Everything passes, and is not counted. */
    OPEN,
    /** Everything is refused with 503. */
    CLOSED
}
