package dev.sluice.testing.faults;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;

/** Blocking connection to a Redis server that uses the RESP protocol. */
public final class RespClient implements AutoCloseable {

    private static final int TIMEOUT_MILLIS = 2000;

    private final Socket socket = new Socket();
    private final InputStream in;

    public RespClient(int port) {
        try {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), TIMEOUT_MILLIS);
            socket.setSoTimeout(TIMEOUT_MILLIS);
            in = new BufferedInputStream(socket.getInputStream());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Executes a command over a new connection. */
    static Object execute(int port, String... arguments) {
        try (var connection = new RespClient(port)) {
            return connection.command(arguments);
        }
    }

    /** Returns the reply: a String, a Long, a List of these, or null; an error is a String that starts with a minus. */
    public Object command(String... arguments) {
        var command = new StringBuilder("*" + arguments.length + "\r\n");
        for (var word : arguments) {
            command.append('$').append(word.length()).append("\r\n").append(word).append("\r\n");
        }
        try {
            socket.getOutputStream().write(command.toString().getBytes(StandardCharsets.ISO_8859_1));
            return read(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Object read(InputStream in) throws IOException {
        var line = readLine(in);
        var rest = line.substring(1);
        return switch (line.charAt(0)) {
            case '+' -> rest;
            case '-' -> line;
            case ':' -> Long.valueOf(rest);
            case '$' -> readBulkString(in, Integer.parseInt(rest));
            default -> readArray(in, Integer.parseInt(rest));
        };
    }

    private static String readBulkString(InputStream in, int length) throws IOException {
        if (length < 0) {
            return null;
        }
        var text = new String(in.readNBytes(length), StandardCharsets.ISO_8859_1);
        readLine(in);
        return text;
    }

    private static Object readArray(InputStream in, int length) throws IOException {
        var items = new ArrayList<Object>();
        for (int i = 0; i < length; i++) {
            items.add(read(in));
        }
        return items;
    }

    private static String readLine(InputStream in) throws IOException {
        var line = new StringBuilder();
        for (int b = in.read(); b != '\n'; b = in.read()) {
            if (b < 0) {
                throw new EOFException();
            }
            if (b != '\r') {
                line.append((char) b);
            }
        }
        return line.toString();
    }
}
