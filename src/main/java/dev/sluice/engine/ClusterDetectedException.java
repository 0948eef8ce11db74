package dev.sluice.engine;

/** Reports that Redis has turned out to be a cluster, and has executed nothing. The decision is made again. */
final class ClusterDetectedException extends RuntimeException {

    private static final long serialVersionUID = 1;

    ClusterDetectedException() {
        super("Redis is a cluster", null, false, false);
    }
}
