package dev.sluice.testing.llm;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

import dev.sluice.testing.FreePorts;
import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;

/**
 * Stub of all providers on plain sockets: each connection is handled by the next script of a test. Gemini's address refuses
 * connections.
 */
public class RawProvider implements QuarkusTestResourceLifecycleManager {

    /** Handles one connection, including its closing. */
    public interface Script {

        void handle(Socket socket) throws IOException;
    }

    private static final Queue<Script> SCRIPTS = new ConcurrentLinkedQueue<>();

    private ServerSocket server;

    /** Sets the handler of the next connection. */
    public static void next(Script script) {
        SCRIPTS.add(script);
    }

    /** Responds to the next request after its head, and closes the connection. Each character is sent as one byte. */
    public static void respondNext(String response) {
        next(socket -> {
            readHead(socket.getInputStream());
            write(socket, response);
            socket.shutdownOutput();
            socket.getInputStream().transferTo(java.io.OutputStream.nullOutputStream());
            socket.close();
        });
    }

    public static void write(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
        socket.getOutputStream().flush();
    }

    /** Reads up to the empty line. */
    public static String readHead(InputStream in) throws IOException {
        var head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int b = in.read();
            if (b < 0) {
                return head.toString();
            }
            head.append((char) b);
        }
        return head.toString();
    }

    @Override
    public Map<String, String> start() {
        try {
            server = new ServerSocket(0, 100, InetAddress.getLoopbackAddress());
            var acceptor = new Thread(this::accept, "raw provider");
            acceptor.setDaemon(true);
            acceptor.start();
            var address = "http://127.0.0.1:" + server.getLocalPort();
            return Map.of("rate-limit.llm.openai.base-url", address, "rate-limit.llm.anthropic.base-url", address,
                    "rate-limit.llm.gemini.base-url", "http://127.0.0.1:" + FreePorts.next(), "rate-limit.llm.timeout", "2s");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                var socket = server.accept();
                var script = SCRIPTS.poll();
                var thread = new Thread(() -> {
                    try {
                        if (script == null) {
                            socket.close();
                        } else {
                            script.handle(socket);
                        }
                    } catch (IOException e) {
                        // the caller has disconnected
                    }
                }, "raw connection");
                thread.setDaemon(true);
                thread.start();
            } catch (IOException e) {
                return;
            }
        }
    }

    @Override
    public void stop() {
        try {
            SCRIPTS.clear();
            if (server != null) {
                server.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
