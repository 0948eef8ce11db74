package dev.sluice.soak;

import org.junit.jupiter.api.Test;

import dev.sluice.testing.soak.SoakScenario;

/**
 * The gateway under hostile clients and a hostile upstream: {@code ./mvnw verify -Psoak}. {@code -Dsluice.soak.seconds=30}
 * shortens it, {@code -Dsluice.soak.seed=…} repeats the random choices of a run that has failed.
 */
class GatewaySoak {

    private static final int SECONDS = Integer.getInteger("sluice.soak.seconds", 600);
    private static final long SEED = Long.getLong("sluice.soak.seed", System.nanoTime());

    @Test
    void survivesHostilePeers() throws Exception {
        try (var soak = new SoakScenario(SECONDS, SEED)) {
            soak.run();
        }
    }
}
