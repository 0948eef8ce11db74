package dev.sluice.testing.soak;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

import dev.sluice.testing.RawExchange;
import dev.sluice.testing.RawUpstream.Script;
import dev.sluice.testing.WebSocketBytes;

/** How the upstream of a soak handles a WebSocket. The number in its path decides all that is random. */
enum HostileWebSocket {
    ECHO((exchange, random) -> {
        accept(exchange);
        WebSocketBytes.readPayloads(exchange.in(), Messages.COUNT, Messages.PAYLOAD);
        for (int i = 0; i < Messages.COUNT; i++) {
            exchange.send(WebSocketBytes.binary(Messages.PAYLOAD, false));
        }
        exchange.awaitClosed();
    }), CLOSED_AT_ONCE((exchange, random) -> {
        exchange.send(WebSocketBytes.accept(exchange) + "\u0088\2\3\u00e8");
        exchange.finish();
    }), CLOSED((exchange, random) -> {
        accept(exchange);
        exchange.send(WebSocketBytes.binary(new byte[random.nextInt(100_000)], false));
        exchange.send(WebSocketBytes.CLOSE);
        exchange.finish();
    }), CUT_IN_FRAME((exchange, random) -> {
        accept(exchange);
        var frame = WebSocketBytes.binary(new byte[10_000], false);
        exchange.send(Arrays.copyOf(frame, random.nextInt(frame.length)));
        HostileAct.end(exchange, random);
    }), RESET((exchange, random) -> {
        accept(exchange);
        exchange.reset();
    }), GARBAGE((exchange, random) -> {
        accept(exchange);
        HostileAct.sendGarbage(exchange, random, 100_000);
        HostileAct.end(exchange, random);
    }), LARGE((exchange, random) -> {
        accept(exchange);
        exchange.send(WebSocketBytes.binary(new byte[random.nextInt(5_000_000)], false));
        exchange.awaitClosed();
    }), REJECTED((exchange, random) -> {
        exchange.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
    }), REJECTED_AND_CUT((exchange, random) -> {
        exchange.send("HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
        HostileAct.end(exchange, random);
    }), HANDSHAKE_CLOSED((exchange, random) -> HostileAct.end(exchange, random)), HANDSHAKE_GARBAGE((exchange, random) -> {
        exchange.send("HTTP/1.1 101 \0Switching\r\n:\r\n\r\n");
        exchange.finish();
    }), SILENT((exchange, random) -> {
        accept(exchange);
        exchange.awaitClosed();
    }), FLOOD((exchange, random) -> {
        accept(exchange);
        var frame = WebSocketBytes.binary(new byte[50_000], false);
        for (int i = 0; i < 400; i++) {
            // the client may not read them
            exchange.send(frame);
        }
        exchange.awaitClosed();
    }), UNREAD((exchange, random) -> {
        accept(exchange);
        Thread.sleep(HostileWebSocket.STALL_MILLIS);
        for (int i = 0; i < 30; i++) { // fails if the connection has been closed, without reading what is left in it
            exchange.send("\u0089\0");
            Thread.sleep(1000);
        }
        throw new HostileWebSocket.StillOpen();
    });

    static final String PATH = "/ws/";
    /** More than the idle timeout and the time to send what is left. */
    static final long STALL_MILLIS = 20_000;

    /** Messages of an ordinary WebSocket, in each direction. */
    static final class Messages {

        static final int COUNT = 5;
        static final byte[] PAYLOAD = "0123456789abcdef".repeat(100).getBytes(StandardCharsets.US_ASCII);

        private Messages() {
        }
    }

    /** A connection that should have been closed long ago. */
    private static final class StillOpen extends Exception {

        private static final long serialVersionUID = 1;
    }

    private final HostileAct act;

    HostileWebSocket(HostileAct act) {
        this.act = act;
    }

    /** Returns the behavior for the WebSocket of this number. */
    static HostileWebSocket of(long seed, long number) {
        var random = HostileBehavior.random(seed, number);
        var behavior = values()[random.nextInt(values().length)];
        return behavior.stalls() && random.nextInt(4) > 0 ? CUT_IN_FRAME : behavior;
    }

    /** Returns whether the WebSocket may last as long as the idle timeout. */
    boolean stalls() {
        return this == SILENT || this == FLOOD || this == UNREAD || this == LARGE;
    }

    /** Returns the script of all requests to {@link #PATH} and a number; those to {@code echo} are ordinary WebSockets. */
    static Script script(long seed, SoakRecord results) {
        return exchange -> {
            var name = exchange.path().substring(PATH.length());
            if (name.equals("echo")) {
                ECHO.act.respond(exchange, null);
                return;
            }
            long number = Long.parseLong(name);
            try {
                of(seed, number).act.respond(exchange, HostileBehavior.random(seed, ~number));
            } catch (StillOpen e) {
                results.fail("WebSocket " + number + " is still open at the upstream, which does not read");
            }
        };
    }

    private static void accept(RawExchange exchange) throws IOException {
        exchange.send(WebSocketBytes.accept(exchange));
    }
}
