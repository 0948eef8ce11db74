package dev.sluice.llm.protocol.stream;

/** Receives a sequence of bytes in pieces. */
public interface ByteSink {

    /**
     * Receives the next bytes.
     *
     * @param bytes the array; the given range may be changed, but the array must not be kept
     * @param from start of the range, inclusive
     * @param to end of the range, exclusive
     */
    void write(byte[] bytes, int from, int to);

    /** Ends the sequence. */
    void end();

    /** Ends an incomplete sequence. */
    default void abort() {
        end();
    }
}
