package dev.sluice.testing;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SSLSocket;

/** A request that {@link RawUpstream} has received, and the connection for its response. */
public final class RawExchange {

    private static final int LATCH_SECONDS = 60;

    private final Socket socket;
    /** The connection beneath TLS; without TLS, the same socket. */
    private final Socket transport;
    private final int ordinal;
    private final List<String> head;
    private final List<String> trailers = new ArrayList<>();
    private volatile byte[] body;

    private RawExchange(Socket socket, Socket transport, int ordinal, List<String> head) {
        this.socket = socket;
        this.transport = transport;
        this.ordinal = ordinal;
        this.head = head;
    }

    /** Reads the header section of the next request; returns null at the end of the connection. */
    static RawExchange read(Socket socket, Socket transport, int ordinal) throws IOException {
        var head = readLines(socket.getInputStream());
        return head.isEmpty() ? null : new RawExchange(socket, transport, ordinal, head);
    }

    private static List<String> readLines(InputStream in) throws IOException {
        var lines = new ArrayList<String>();
        for (var line = readLine(in); line != null && !line.isEmpty(); line = readLine(in)) {
            lines.add(line);
        }
        return lines;
    }

    /** Returns the next line without its terminator; null at the end of input. */
    private static String readLine(InputStream in) throws IOException {
        var line = new ByteArrayOutputStream();
        for (int b = in.read(); b != '\n'; b = in.read()) {
            if (b < 0) {
                return null;
            }
            if (b != '\r') {
                line.write(b);
            }
        }
        return line.toString(StandardCharsets.ISO_8859_1);
    }

    /** Returns the request line and the header fields; each character stands for one byte. */
    public List<String> head() {
        return head;
    }

    public String method() {
        return head.get(0).substring(0, head.get(0).indexOf(' '));
    }

    /** Returns the request target as it was received. */
    public String target() {
        return head.get(0).substring(head.get(0).indexOf(' ') + 1, head.get(0).lastIndexOf(' '));
    }

    /** Returns the request target without its query. */
    public String path() {
        var target = target();
        int query = target.indexOf('?');
        return query < 0 ? target : target.substring(0, query);
    }

    /** Returns the values of the fields of this name, in their order. */
    public List<String> fields(String name) {
        return values(head.subList(1, head.size()), name);
    }

    static List<String> values(List<String> lines, String name) {
        var prefix = name.toLowerCase(Locale.ROOT) + ":";
        return lines.stream().filter(line -> line.toLowerCase(Locale.ROOT).startsWith(prefix))
                .map(line -> line.substring(prefix.length()).strip()).toList();
    }

    /** Returns the number of this request on its connection, from 1. */
    public int ordinal() {
        return ordinal;
    }

    boolean uses(Socket other) {
        return transport == other;
    }

    /** Reads the body to its end, if that has not been done, and returns it. */
    public byte[] body() throws IOException {
        if (body == null) {
            var read = new ByteArrayOutputStream();
            if (fields("transfer-encoding").stream().anyMatch("chunked"::equalsIgnoreCase)) {
                readChunks(read);
            } else if (!fields("content-length").isEmpty()) {
                read(Integer.parseInt(fields("content-length").get(0)), read);
            }
            body = read.toByteArray();
        }
        return body;
    }

    private void readChunks(ByteArrayOutputStream to) throws IOException {
        var in = socket.getInputStream();
        while (true) {
            var line = readLine(in);
            if (line == null) {
                throw new EOFException();
            }
            int size = Integer.parseInt(line, 16);
            if (size == 0) {
                trailers.addAll(readLines(in));
                return;
            }
            read(size, to);
            readLine(in);
        }
    }

    private void read(int length, ByteArrayOutputStream to) throws IOException {
        var bytes = socket.getInputStream().readNBytes(length);
        to.write(bytes);
        if (bytes.length < length) {
            throw new EOFException();
        }
    }

    /** Returns the body that has been read; null before its end. */
    public byte[] receivedBody() {
        return body;
    }

    /** Returns the TLS session of the connection. */
    public ExtendedSSLSession tlsSession() {
        return (ExtendedSSLSession) ((SSLSocket) socket).getSession();
    }

    /** Returns the trailer fields of a chunked body that has been read. */
    public List<String> trailers() {
        return trailers;
    }

    /** Sends text in which each character stands for one byte. */
    public void send(String text) throws IOException {
        send(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    public void send(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
        socket.getOutputStream().flush();
    }

    /** Sends a chunk of a body in chunked transfer coding. */
    public void sendChunk(String data) throws IOException {
        send(Integer.toHexString(data.length()) + "\r\n" + data + "\r\n");
    }

    /** Waits until the test opens the latch. */
    public void await(CountDownLatch latch) throws InterruptedException {
        if (!latch.await(LATCH_SECONDS, TimeUnit.SECONDS)) {
            throw new IllegalStateException("latch of the test was not opened");
        }
    }

    public InputStream in() throws IOException {
        return socket.getInputStream();
    }

    /** Closes the sending side (FIN), and the connection when Sluice has closed its own: unread data causes no reset. */
    public void finish() throws IOException {
        socket.shutdownOutput();
        awaitClosed();
    }

    /** Closes the connection at once: data that arrives later is answered with a reset. */
    public void close() throws IOException {
        socket.close();
    }

    /** Discards all that arrives until Sluice closes the connection. */
    public void awaitClosed() throws IOException {
        try {
            socket.getInputStream().transferTo(OutputStream.nullOutputStream());
        } finally {
            socket.close();
        }
    }

    /** Ends TLS (close_notify), but not the connection, and waits until Sluice has ended TLS too. */
    public void endTls() throws IOException {
        ((RawUpstream.Transport) transport).keepOutputOpen = true;
        socket.shutdownOutput();
        awaitClosed();
    }

    /** Closes the sending side (FIN) without the end of TLS (close_notify), then like {@link #finish()}. */
    public void truncate() throws IOException {
        transport.shutdownOutput();
        awaitClosed();
    }

    /** Aborts the connection (RST). */
    public void reset() throws IOException {
        transport.setSoLinger(true, 0);
        transport.close();
    }
}
