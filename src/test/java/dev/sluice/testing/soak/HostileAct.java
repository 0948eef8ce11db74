package dev.sluice.testing.soak;

import java.io.IOException;
import java.util.Random;

import dev.sluice.testing.RawExchange;

/** Sends a response, or what passes for one. */
@FunctionalInterface
interface HostileAct {

    void respond(RawExchange exchange, Random random) throws Exception;

    /** Sends random bytes. */
    static void sendGarbage(RawExchange exchange, Random random, int maxBytes) throws IOException {
        var bytes = new byte[random.nextInt(maxBytes)];
        random.nextBytes(bytes);
        exchange.send(bytes);
    }

    /** Closes the sending side of the connection, or resets it. */
    static void end(RawExchange exchange, Random random) throws IOException {
        if (random.nextBoolean()) {
            exchange.finish();
        } else {
            exchange.reset();
        }
    }
}
