package dev.sluice.testing.soak;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;

import dev.sluice.testing.wire.Http1Wire;
import dev.sluice.testing.wire.Http2Wire;
import dev.sluice.testing.wire.Http2WireStream;
import dev.sluice.testing.wire.Wire;
import dev.sluice.testing.wire.WireConnection;
import dev.sluice.testing.wire.WireRequest;
import dev.sluice.testing.wire.WireResponse;

/** A client of one version of HTTP, which misbehaves in some of its requests and verifies the others. */
final class HostileClient extends SoakClient {

    private static final int MAX_BODY = 200_000;

    private final Wire wire;

    /** Other arguments as those of {@link SoakClient}. */
    HostileClient(int port, Wire wire, long seed, AtomicLong numbers, long deadlineNanos, SoakRecord results) {
        super(port, seed, numbers, deadlineNanos, results);
        this.wire = wire;
    }

    @Override
    void attempt(long number, Random random) {
        hostile(number, random);
        ordinary(number, random);
    }

    /**
     * Sends an ordinary request, whose response must be right whatever else happens. A GET request: others may fail if the upstream
     * closes a kept connection at that moment, because they must not be sent again.
     */
    private void ordinary(long number, Random random) {
        var request = WireRequest.get("/ordinary/" + number).field("X-Number", "n".repeat(1 + random.nextInt(2000)));
        try {
            var response = wire.exchange(port, request);
            if (response.status() != 200 || !response.isComplete()
                    || !response.text().startsWith("GET /ordinary/" + number + " ")
                    || !response.text().endsWith("\r\n\r\n")) {
                results.fail(wire + " ordinary " + number + ": " + response + ' '
                        + response.text().lines().findFirst().orElse(""));
            }
            results.ordinary();
        } catch (RuntimeException e) {
            results.fail(wire + " ordinary " + number + ": " + e + " because of " + e.getCause());
        }
    }

    private void hostile(long number, Random random) {
        var behavior = HostileBehavior.of(seed, number);
        try (var connection = wire.open(port)) {
            var method = random.nextInt(10) == 0 && behavior.mayAnswerHead() ? "HEAD" : random.nextBoolean() ? "GET" : "POST";
            var request = WireRequest.of(method, "/hostile/" + number);
            if ("POST".equals(method)) {
                request.body(new byte[random.nextInt(MAX_BODY)]);
            }
            switch (random.nextInt(8)) {
                case 0 -> leaveEarly(connection, request, random);
                case 1 -> sendSlowly(connection, number, random);
                case 2 -> halfClose(connection, request);
                case 3 -> readSlowly(connection, request, random);
                case 4 -> sendGarbage(connection, random);
                default -> verify(behavior, number, connection.exchange(request));
            }
        } catch (SocketTimeoutException e) {
            results.fail(wire + " " + behavior + ' ' + number + " hangs");
        } catch (IOException e) {
            results.count(behavior, "connection lost");
        } catch (RuntimeException e) {
            results.fail(wire + " " + behavior + ' ' + number + ": unreadable response: " + e);
        }
    }

    /** A complete response is that of the upstream, or an error in Sluice's format. */
    private void verify(HostileBehavior behavior, long number, WireResponse response) {
        results.count(behavior, response.status() + (response.isComplete() ? "" : " broken"));
        boolean error = response.status() == 502 || response.status() == 504;
        if (error && response.isComplete() && response.body().length > 0 && !response.text().contains("\"RATE_50")) {
            results.fail(wire + " " + behavior + ' ' + number + ": " + response + ' ' + response.text());
        }
        boolean cut = behavior == HostileBehavior.CUT_LENGTH || behavior == HostileBehavior.CUT_CHUNKED
                || behavior == HostileBehavior.STALLED_WITHIN;
        if (cut && response.isComplete() && response.status() == 200 && response.body().length > 0) {
            results.fail(wire + " " + behavior + ' ' + number + ": cut body looks complete: " + response);
        }
        if (response.text().contains("unwanted")) {
            results.fail(wire + " " + behavior + ' ' + number + ": surplus bytes: " + response);
        }
    }

    private static void leaveEarly(WireConnection connection, WireRequest request, Random random) throws IOException {
        connection.send(request);
        if (random.nextBoolean()) {
            connection.readMore(connection.readHead());
        }
        connection.abort();
    }

    private void sendSlowly(WireConnection connection, long number, Random random) throws IOException {
        if (connection instanceof Http1Wire http1) {
            http1.send("POST /hostile/" + number + (wire == Wire.HTTP_1_0 ? " HTTP/1.0" : " HTTP/1.1")
                    + "\r\nHost: x\r\nContent-Length: 20\r\n");
            pause(random);
            http1.send("\r\n12345");
            pause(random);
            http1.send("1234567890");
            if (random.nextBoolean()) { // otherwise the client leaves before the end of its body
                http1.send("12345");
                http1.readToEnd(http1.readHead());
            }
        } else if (connection instanceof Http2Wire http2) {
            var first = http2.open(WireRequest.post("/hostile/" + number), false);
            var second = http2.open(WireRequest.get("/hostile/" + number), true);
            pause(random);
            first.send("12345", random.nextBoolean());
            finish(second, second.readHead());
            first.reset(8);
        }
    }

    private static void finish(Http2WireStream stream, WireResponse response) throws IOException {
        stream.readToEnd(response);
    }

    private static void pause(Random random) {
        try {
            Thread.sleep(random.nextInt(50));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void halfClose(WireConnection connection, WireRequest request) throws IOException {
        connection.send(request);
        if (connection instanceof Http1Wire http1) {
            http1.finish();
        }
        connection.readToEnd(connection.readHead());
    }

    private static void readSlowly(WireConnection connection, WireRequest request, Random random) throws IOException {
        connection.send(request);
        var response = connection.readHead();
        for (int reads = 0; connection.readMore(response) && reads < 20; reads++) {
            pause(random);
        }
    }

    private static void sendGarbage(WireConnection connection, Random random) throws IOException {
        if (connection instanceof Http1Wire http1) {
            var bytes = new byte[1 + random.nextInt(1000)];
            random.nextBytes(bytes);
            http1.send("GET " + new String(bytes, StandardCharsets.ISO_8859_1) + "\r\n\r\n");
            http1.finish();
            http1.in().readAllBytes();
        } else {
            connection.send(WireRequest.get("/hostile/1").field("x", "\0").field("Connection", "close"));
            connection.abort();
        }
    }
}
