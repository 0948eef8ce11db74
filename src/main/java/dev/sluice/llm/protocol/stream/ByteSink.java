package dev.sluice.llm.protocol.stream;

/** Where bytes go, piece by piece. */
public interface ByteSink {

    /** The array is the caller's own; its piece may be changed but not kept. */
    void write(byte[] bytes, int from, int to);

    /** There is no more. */
    void end();

    /** There is no more to be had: what came was not whole. */
    default void abort() {
        end();
    }
}
