package dev.sluice.testing.soak;

import java.util.Random;

import dev.sluice.testing.Fuzzer;
import dev.sluice.testing.RawExchange;
import dev.sluice.testing.RawUpstream.Script;

/** How the upstream of a soak handles a request. The number of the request decides all that is random. */
enum HostileBehavior {
    CHUNKED((exchange, random) -> {
        exchange.body();
        exchange.send(HostileBehavior.OK + "Transfer-Encoding: chunked\r\n\r\n");
        sendChunks(exchange, random);
        exchange.send("0\r\nX-Trailer: 1\r\n\r\n");
    }), UNTIL_CLOSED((exchange, random) -> {
        exchange.body();
        exchange.send(HostileBehavior.OK + "\r\n" + "x".repeat(random.nextInt(100_000)));
        exchange.finish();
    }), CLOSED_FIRST((exchange, random) -> {
        exchange.body();
        exchange.close();
    }), RESET_FIRST((exchange, random) -> exchange.reset()), CLOSED_AFTER((exchange, random) -> {
        exchange.body();
        exchange.send(HostileBehavior.OK + "Content-Length: 2\r\n\r\nok");
        exchange.close();
    }), GARBAGE((exchange, random) -> {
        exchange.body();
        HostileAct.sendGarbage(exchange, random, 10_000);
        exchange.finish();
    }), CUT_LENGTH((exchange, random) -> {
        exchange.body();
        exchange.send(HostileBehavior.OK + "Content-Length: 100000\r\n\r\n" + "x".repeat(random.nextInt(99_999)));
        HostileAct.end(exchange, random);
    }), CUT_CHUNKED((exchange, random) -> {
        exchange.body();
        exchange.send(HostileBehavior.OK + "Transfer-Encoding: chunked\r\n\r\n");
        sendChunks(exchange, random);
        exchange.send(random.nextBoolean() ? "" : "ff\r\ncut");
        HostileAct.end(exchange, random);
    }), CUT_HEAD((exchange, random) -> {
        exchange.body();
        var head = HostileBehavior.OK + "Content-Length: 5\r\nX-A: b\r\n";
        exchange.send(head.substring(0, 1 + random.nextInt(head.length() - 1)));
        HostileAct.end(exchange, random);
    }), BAD_FRAMING((exchange, random) -> {
        exchange.body();
        exchange.send(HostileBehavior.OK + Fuzzer.pick(random, java.util.List.of("Content-Length: -1", "Content-Length: x",
                "Content-Length: 1\r\nContent-Length: 2", "Transfer-Encoding: chunked\r\n\r\nZZ\r\nx",
                "Transfer-Encoding: chunked\r\nContent-Length: 3", "Transfer-Encoding: gzip", "HTTP/1.1 200 OK"))
                + "\r\n\r\nhello");
        exchange.finish();
    }), STALLED_FIRST((exchange, random) -> exchange.awaitClosed()), STALLED_WITHIN((exchange, random) -> {
        exchange.body();
        exchange.send(HostileBehavior.OK + "Content-Length: 100000\r\n\r\n" + "x".repeat(random.nextInt(10_000)));
        exchange.awaitClosed();
    }), SLOW((exchange, random) -> {
        exchange.body();
        exchange.send(HostileBehavior.OK + "Transfer-Encoding: chunked\r\n\r\n");
        for (int i = 0; i < 20; i++) {
            exchange.sendChunk("x".repeat(1 + random.nextInt(100)));
            Thread.sleep(random.nextInt(50));
        }
        exchange.send("0\r\n\r\n");
    }), EVENTS((exchange, random) -> {
        exchange.body();
        exchange.send(HostileBehavior.OK + "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (int i = 0; i < 10; i++) {
            exchange.sendChunk("data: " + i + "\n\n");
            Thread.sleep(random.nextInt(50));
        }
        if (random.nextBoolean()) {
            exchange.send("0\r\n\r\n");
        } else {
            exchange.reset();
        }
    }), ODD_FIELDS((exchange, random) -> {
        exchange.body();
        exchange.send(HostileBehavior.OK + "Cache-Control: max-age=31536000000\r\nExpires: 0\r\nDate: yesterday\r\nX-Empty:\r\n"
                + "X-Latin1: \u00e9\u00ff\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nUpgrade: h2c\r\nConnection: upgrade, x-hop\r\n"
                + "X-Hop: 1\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok");
    }), LARGE_HEAD((exchange, random) -> {
        exchange.body();
        exchange.send(HostileBehavior.OK + ("X-Large: " + "x".repeat(1000) + "\r\n").repeat(random.nextInt(300))
                + "Content-Length: 2\r\n\r\nok");
        exchange.finish();
    }), INTERIM_FLOOD((exchange, random) -> {
        exchange.body();
        exchange.send("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n".repeat(random.nextInt(1000)));
        if (random.nextBoolean()) {
            exchange.send(HostileBehavior.OK + "Content-Length: 2\r\n\r\nok");
        } else {
            HostileAct.end(exchange, random);
        }
    }), SURPLUS((exchange, random) -> {
        exchange.body();
        exchange.send(HostileBehavior.OK + "Content-Length: 2\r\n\r\nok" + HostileBehavior.OK
                + "Content-Length: 9\r\n\r\nunwanted!");
    }), BODY_TO_NONE((exchange, random) -> {
        exchange.body();
        exchange.send("HTTP/1.1 " + (random.nextBoolean() ? "204 No Content" : "304 Not Modified")
                + "\r\nContent-Length: 9\r\n\r\nunwanted!");
    }), EARLY_RESPONSE((exchange, random) -> {
        exchange.send("HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno");
        exchange.finish();
    }), LARGE_BODY((exchange, random) -> {
        exchange.body();
        int size = random.nextInt(5_000_000);
        exchange.send(HostileBehavior.OK + "Content-Length: " + size + "\r\n\r\n");
        exchange.send(new byte[size]);
    }), MUTATED((exchange, random) -> {
        exchange.body();
        exchange.send(Fuzzer.bytes(Fuzzer.mutate(random, HostileBehavior.OK
                + "Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n")));
        exchange.finish();
    });

    static final String OK = "HTTP/1.1 200 OK\r\n";

    private final HostileAct act;

    HostileBehavior(HostileAct act) {
        this.act = act;
    }

    /** Returns the behavior for requests of this number. */
    static HostileBehavior of(long seed, long number) {
        var random = random(seed, number);
        var behavior = values()[random.nextInt(values().length)];
        // Stalls last as long as a timeout, so fewer of them.
        boolean stalls = behavior == STALLED_FIRST || behavior == STALLED_WITHIN;
        return stalls && random.nextInt(4) > 0 ? CHUNKED : behavior;
    }

    /**
     * Returns whether the body, which a response to HEAD must not have, arrives together with the header section. No proxy could
     * tell a body that arrives later from the response to the next request.
     */
    boolean mayAnswerHead() {
        return switch (this) {
            case SURPLUS, BODY_TO_NONE, ODD_FIELDS, CLOSED_AFTER, CLOSED_FIRST, RESET_FIRST, CUT_HEAD, STALLED_FIRST -> true;
            default -> false;
        };
    }

    static Random random(long seed, long number) {
        return new Random(seed * 31 + number * 0x9E3779B97F4A7C15L);
    }

    /** Returns the script of all requests to {@code /hostile/number}. */
    static Script script(long seed) {
        return exchange -> {
            long number = Long.parseLong(exchange.path().substring(exchange.path().lastIndexOf('/') + 1));
            of(seed, number).act.respond(exchange, random(seed, ~number));
        };
    }

    private static void sendChunks(RawExchange exchange, Random random) throws Exception {
        for (int i = random.nextInt(20); i >= 0; i--) {
            exchange.sendChunk("x".repeat(1 + random.nextInt(10_000)));
        }
    }
}
