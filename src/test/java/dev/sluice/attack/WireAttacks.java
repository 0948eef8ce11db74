package dev.sluice.attack;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

import dev.sluice.testing.RawHttpConnection;

/** Attacks below HTTP: requests that cannot be read, silent connections, floods of frames. */
final class WireAttacks {

    private static final List<String> MALFORMED = List.of("GET / HTTP/9.9\r\nHost: a\r\n\r\n",
            "CONNECT /path HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            "GET /#fragment HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nBad Header: b\r\n\r\n");
    private static final int MAX_CONNECTIONS = 400;
    private static final int CONTROL_FRAMES = 20_000;

    private WireAttacks() {
    }

    static String malformedRequests(Target target) throws Exception {
        target.upstream().clear();
        int sent = 0;
        for (int i = 0; i < 30; i++) {
            for (var request : MALFORMED) {
                assertThat(target.send("127.0.4.1", request).status()).as(request).isEqualTo(400);
                sent++;
            }
        }
        assertThat(target.upstream().received()).allMatch(exchange -> exchange.path().equals("/bystander"));
        return sent + " requests: 400, none of which reached the upstream";
    }

    /** The head's timeout of five seconds ends them, and not the idle timeout of eleven minutes. */
    static String silentConnections(Target target) throws Exception {
        var sockets = new ArrayList<Socket>();
        try {
            for (int i = 0; i < MAX_CONNECTIONS - 50; i++) {
                sockets.add(new Socket(InetAddress.getByName("127.0.0.1"), target.first().port(),
                        InetAddress.getByName("127.0.4.2"), 0));
            }
            for (var socket : sockets) {
                socket.setSoTimeout(60_000);
                assertThat(socket.getInputStream().read()).isEqualTo(-1);
            }
        } finally {
            for (var socket : sockets) {
                socket.close();
            }
        }
        return sockets.size() + " connections, closed by Sluice";
    }

    static String controlFrames(Target target) throws Exception {
        int before = target.first().log().length();
        for (int connection = 0; connection < 10; connection++) {
            flood(target.first().port(), connection % 2 == 0 ? 6 : 4);
        }
        assertThat(target.send("127.0.4.3", "GET / HTTP/1.1\r\nHost: a\r\n\r\n").status()).isEqualTo(200);
        var log = target.first().log().substring(before);
        assertThat(log).doesNotContain("\tat ");
        assertThat(log.length()).as("characters of log").isLessThan(2000);
        return 10 * CONTROL_FRAMES + " frames, " + log.length() + " characters of log";
    }

    /** Connections that are reset after a byte, and connections that do not begin as HTTP/2 requires. */
    static String brokenConnections(Target target) throws Exception {
        int before = target.first().log().length();
        var address = target.nextAddress();
        for (int i = 0; i < 200; i++) {
            try (var connection = new RawHttpConnection(target.first().port(), address)) {
                connection.send(i % 2 == 0 ? "G" : "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\10\6\0\0\0\0\0AAAAAAAA");
                if (i % 2 == 0) {
                    connection.reset();
                }
            }
        }
        assertThat(target.send(address, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").status()).isEqualTo(200);
        var log = target.first().log().substring(before);
        assertThat(log).doesNotContain("\tat ");
        assertThat(log.length()).as("characters of log").isLessThan(2000);
        return "200 connections, " + log.length() + " characters of log";
    }

    /** Sends PING (type 6) or SETTINGS (type 4) frames until the connection is closed, and reads nothing. */
    private static void flood(int port, int type) throws IOException {
        try (var socket = new Socket(InetAddress.getByName("127.0.0.1"), port, InetAddress.getByName("127.0.4.3"), 0)) {
            socket.getOutputStream().write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            socket.getOutputStream().write(new byte[]{0, 0, 0, 4, 0, 0, 0, 0, 0});
            int payload = type == 6 ? 8 : 0;
            var frames = ByteBuffer.allocate(100 * (9 + payload));
            for (int i = 0; i < 100; i++) {
                frames.put(new byte[]{0, 0, (byte) payload, (byte) type, 0, 0, 0, 0, 0}).put(new byte[payload]);
            }
            for (int i = 0; i < CONTROL_FRAMES / 100; i++) {
                socket.getOutputStream().write(frames.array());
            }
        } catch (SocketException e) {
            // Sluice has closed the connection
        }
    }

}
