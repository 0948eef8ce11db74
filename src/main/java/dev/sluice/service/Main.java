package dev.sluice.service;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.annotations.QuarkusMain;

/**
 * Starts the service; or, with the argument {@code health}, checks the liveness of a local instance and exits with 0 if it is
 * live, 1 otherwise. Intended for containers without shell and curl.
 */
@QuarkusMain
public class Main {

    private static final int TIMEOUT_MILLIS = 2000;

    public static void main(String... arguments) {
        if (arguments.length == 1 && arguments[0].equals("health")) {
            var port = System.getenv().getOrDefault("QUARKUS_MANAGEMENT_PORT", "9000");
            System.exit(isLive(Integer.parseInt(port)) ? 0 : 1);
        }
        Quarkus.run(arguments);
    }

    /** @param port port of the management interface */
    private static boolean isLive(int port) {
        try (var socket = new Socket()) {
            socket.setSoTimeout(TIMEOUT_MILLIS);
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), TIMEOUT_MILLIS);
            socket.getOutputStream().write("GET /q/health/live HTTP/1.0\r\nHost: localhost\r\n\r\n"
                    .getBytes(StandardCharsets.US_ASCII));
            var status = new String(socket.getInputStream().readNBytes("HTTP/1.0 200".length()), StandardCharsets.US_ASCII);
            return status.startsWith("HTTP/1.") && status.endsWith(" 200");
        } catch (IOException e) {
            System.err.println("No response from port " + port + ": " + e.getMessage());
            return false;
        }
    }
}
