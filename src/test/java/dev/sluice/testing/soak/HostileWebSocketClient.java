package dev.sluice.testing.soak;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.SocketTimeoutException;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;

import dev.sluice.testing.WebSocketBytes;
import dev.sluice.testing.soak.HostileWebSocket.Messages;
import dev.sluice.testing.wire.Http1Wire;
import dev.sluice.testing.wire.Wire;

/** A client of WebSockets, which misbehaves in some of them and verifies the others. */
final class HostileWebSocketClient extends SoakClient {

    private static final String LOOPBACK = "127.0.0.1";
    private static final int FLOOD_FRAMES = 2000;

    /** Arguments as those of {@link SoakClient}. */
    HostileWebSocketClient(int port, long seed, AtomicLong numbers, long deadlineNanos, SoakRecord results) {
        super(port, seed, numbers, deadlineNanos, results);
    }

    @Override
    void attempt(long number, Random random) {
        hostile(number, random);
        for (int i = 0; i < 3; i++) {
            ordinary(number);
        }
    }

    private Http1Wire connect(String name) throws IOException {
        var client = new Http1Wire(port, LOOPBACK, Wire.HTTP_1_1);
        client.send(WebSocketBytes.handshake(HostileWebSocket.PATH + name));
        return client;
    }

    /** Opens a WebSocket, exchanges messages and closes it; all must arrive whatever else happens. */
    private void ordinary(long number) {
        try (var client = connect("echo")) {
            var response = client.readHead();
            if (response.status() != 101) { // not repeated if the upstream closes a kept connection at that moment
                results.count("ordinary WebSocket", Integer.toString(response.status()));
                return;
            }
            for (int i = 0; i < Messages.COUNT; i++) {
                client.send(WebSocketBytes.binary(Messages.PAYLOAD, true));
            }
            WebSocketBytes.readPayloads(client.in(), Messages.COUNT, Messages.PAYLOAD);
            client.send(WebSocketBytes.maskedClose());
            results.ordinary();
        } catch (IOException | RuntimeException e) {
            results.fail("ordinary WebSocket " + number + ": " + e);
        }
    }

    private void hostile(long number, Random random) {
        var behavior = HostileWebSocket.of(seed, number);
        try (var client = connect(Long.toString(number))) {
            if (random.nextInt(10) == 0) { // leaves during the handshake
                client.abort();
                return;
            }
            var response = client.readHead();
            results.count("WebSocket " + behavior, Integer.toString(response.status()));
            if (response.status() != 101) {
                client.readToEnd(response);
                return;
            }
            if (behavior.stalls() && random.nextInt(3) == 0) {
                stall(client, behavior, number);
            } else {
                misbehave(client, random);
            }
        } catch (SocketTimeoutException e) {
            results.fail("WebSocket " + behavior + ' ' + number + " hangs");
        } catch (IOException e) {
            results.count("WebSocket " + behavior, "connection lost");
        } catch (RuntimeException e) {
            results.fail("WebSocket " + behavior + ' ' + number + ": unreadable response: " + e);
        }
    }

    /** Sends as much as the upstream reads, and reads nothing until the idle timeout has closed the connection. */
    private void stall(Http1Wire client, HostileWebSocket behavior, long number) throws IOException {
        var frame = WebSocketBytes.binary(new byte[50_000], true);
        for (int i = 0; i < FLOOD_FRAMES && behavior != HostileWebSocket.FLOOD; i++) {
            client.send(frame);
        }
        try {
            Thread.sleep(HostileWebSocket.STALL_MILLIS);
            for (int i = 0; i < 30; i++) { // fails if the connection has been closed, without reading what is left in it
                client.send("\u0089\u0080\0\0\0\0");
                Thread.sleep(1000);
            }
            results.fail("WebSocket " + behavior + ' ' + number + " is still open at the client, which does not read");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void misbehave(Http1Wire client, Random random) throws IOException {
        var frame = WebSocketBytes.binary(new byte[50_000], true);
        switch (random.nextInt(6)) {
            case 0 -> {
                client.send(Arrays.copyOf(frame, random.nextInt(frame.length)));
                client.abort();
            }
            case 1 -> {
                client.send(Arrays.copyOf(frame, random.nextInt(frame.length)));
                client.finish();
                discard(client.in());
            }
            case 2 -> {
                var garbage = new byte[random.nextInt(100_000)];
                random.nextBytes(garbage);
                client.send(garbage);
                client.finish();
                discard(client.in());
            }
            case 3 -> {
                client.send(WebSocketBytes.maskedClose());
                client.finish();
                discard(client.in());
            }
            case 4 -> client.abort();
            default -> discard(client.in()); // silent until it is closed
        }
    }

    /** @throws SocketTimeoutException if the connection stays open in silence */
    private static void discard(InputStream in) throws IOException {
        in.transferTo(OutputStream.nullOutputStream());
    }
}
