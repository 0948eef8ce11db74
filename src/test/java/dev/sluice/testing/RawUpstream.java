package dev.sluice.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;

/**
 * Upstream on plain sockets, whose response to each path is a script that sends arbitrary bytes and closes the connection as it
 * likes. A path without a script gets an echo of the request. Records all requests, and counts connections and the requests in
 * progress.
 */
public final class RawUpstream implements AutoCloseable {

    private static final int BACKLOG = 500;

    /** Responds to one request; runs on a thread of its own for each connection. */
    @FunctionalInterface
    public interface Script {

        void respond(RawExchange exchange) throws Exception;
    }

    /** Accepted connection, of which TLS can be ended alone: Java ends both. */
    static final class Transport extends Socket {

        volatile boolean keepOutputOpen;

        @Override
        public void shutdownOutput() throws IOException {
            if (!keepOutputOpen) {
                super.shutdownOutput();
            }
        }
    }

    /** @param clientCertificate whether the client must have a certificate that the context trusts */
    private record Security(SSLContext context, boolean clientCertificate) {
    }

    private final Map<String, Script> scripts = new ConcurrentHashMap<>();
    private final List<RawExchange> received = new CopyOnWriteArrayList<>();
    private final Set<Socket> connections = ConcurrentHashMap.newKeySet();
    private final Set<RawExchange> inProgress = ConcurrentHashMap.newKeySet();
    private volatile Script otherwise = RawUpstream::echo;
    private volatile ServerSocket server;
    private volatile Thread acceptor;
    private volatile Security security;
    private final int port;

    public RawUpstream() {
        port = listen(FreePorts.next()); // may be restarted
    }

    private int listen(int requestedPort) {
        try {
            var listening = new ServerSocket() {
                @Override
                public Socket accept() throws IOException {
                    var accepted = new Transport();
                    implAccept(accepted);
                    return accepted;
                }
            };
            listening.setReuseAddress(true);
            listening.bind(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), requestedPort), BACKLOG);
            server = listening;
            acceptor = start("raw upstream", () -> accept(listening));
            return listening.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Thread start(String name, Runnable task) {
        var thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    private void accept(ServerSocket listening) {
        while (!listening.isClosed()) {
            try {
                var socket = listening.accept();
                socket.setTcpNoDelay(true);
                connections.add(socket);
                start("raw upstream connection", () -> serve(socket));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void serve(Socket transport) {
        try (transport; var socket = secured(transport)) {
            for (int ordinal = 1;; ordinal++) {
                var exchange = RawExchange.read(socket, transport, ordinal);
                if (exchange == null) {
                    return;
                }
                inProgress.add(exchange);
                received.add(exchange);
                try {
                    scripts.getOrDefault(exchange.path(), otherwise).respond(exchange);
                    if (socket.isClosed()) {
                        return;
                    }
                    exchange.body();
                } finally {
                    inProgress.remove(exchange);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (Exception e) {
            // Sluice has closed the connection
        } finally {
            connections.remove(transport);
        }
    }

    private Socket secured(Socket transport) throws IOException {
        if (security == null) {
            return transport;
        }
        var socket = (SSLSocket) security.context().getSocketFactory().createSocket(transport, null, true);
        socket.setNeedClientAuth(security.clientCertificate());
        return socket;
    }

    /**
     * Uses TLS for further connections, and closes those that serve no request.
     *
     * @param context null for connections without TLS
     * @param clientCertificate whether the client must have a certificate that the context trusts
     */
    public void secure(SSLContext context, boolean clientCertificate) {
        security = context == null ? null : new Security(context, clientCertificate);
        closeIdleConnections();
    }

    /** Responds with the header section and body of the request. */
    public static void echo(RawExchange exchange) throws IOException {
        var body = exchange.body();
        var echo = String.join("\r\n", exchange.head()) + "\r\n\r\n" + new String(body, StandardCharsets.ISO_8859_1);
        exchange.send("HTTP/1.1 200 OK\r\nContent-Length: " + echo.length() + "\r\n\r\n"
                + ("HEAD".equals(exchange.method()) ? "" : echo));
    }

    /** Sets the script of a path, which is compared without its query. */
    public void on(String path, Script script) {
        scripts.put(path, script);
    }

    /** Lets a path respond with these bytes, one for each character, after the request has been read, and keeps the connection. */
    public void respond(String path, String bytes) {
        on(path, exchange -> {
            exchange.body();
            exchange.send(bytes);
        });
    }

    /** Sets the script of all paths that have none. */
    public void otherwise(Script script) {
        otherwise = script;
    }

    /** Removes all scripts and records. */
    public void clear() {
        scripts.clear();
        received.clear();
        otherwise = RawUpstream::echo;
    }

    /** Returns the requests to the path, in the order of their arrival. */
    public List<RawExchange> received(String path) {
        return received.stream().filter(exchange -> exchange.path().equals(path)).toList();
    }

    public List<RawExchange> received() {
        return List.copyOf(received);
    }

    /** Returns the only request to the path. */
    public RawExchange only(String path) {
        var all = received(path);
        if (all.size() != 1) {
            throw new AssertionError("requests to " + path + ": " + all.size());
        }
        return all.get(0);
    }

    public int openConnections() {
        return connections.size();
    }

    /** Returns the number of requests whose script has not ended. */
    public int inProgress() {
        return inProgress.size();
    }

    /** Closes all connections that serve no request. */
    public void closeIdleConnections() {
        connections.forEach(socket -> {
            if (inProgress.stream().noneMatch(exchange -> exchange.uses(socket))) {
                closeQuietly(socket);
            }
        });
    }

    /** Refuses new connections, and closes the existing ones. */
    public void stopListening() {
        try {
            server.close();
            acceptor.join(); // until it is woken, it accepts connections, although the socket is closed
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        connections.forEach(RawUpstream::closeQuietly);
    }

    /** Ends {@link #stopListening()}. */
    public void startListening() {
        listen(port);
    }

    private static void closeQuietly(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // closed already
        }
    }

    public int port() {
        return port;
    }

    @Override
    public void close() {
        stopListening();
    }
}
