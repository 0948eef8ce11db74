package dev.sluice.service.llm.body;

import java.util.concurrent.atomic.AtomicLong;

/** Counts the bytes that all request bodies together hold in memory, and bounds them. Thread-safe. */
final class HeldBytes {

    private final AtomicLong total = new AtomicLong();
    private final long max;

    /** @param max upper bound in bytes; a single body may exceed it */
    HeldBytes(long max) {
        this.max = max;
    }

    long total() {
        return total.get();
    }

    Share newShare() {
        return new Share();
    }

    /** Bytes held by one request. Used by one thread at a time. */
    final class Share {

        private long bytes;

        private Share() {
        }

        /**
         * Counts bytes before they are allocated.
         *
         * @throws BodyRejectedException if the bodies of other requests leave no room; the bytes count until {@link #clear}
         */
        void add(long more) {
            bytes += more;
            if (total.addAndGet(more) > max && total.get() > bytes) {
                throw new BodyRejectedException(503, "Too many large request bodies in flight; try again later");
            }
        }

        void subtract(long fewer) {
            bytes -= fewer;
            total.addAndGet(-fewer);
        }

        void clear() {
            subtract(bytes);
        }
    }
}
