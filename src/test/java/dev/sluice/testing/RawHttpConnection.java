package dev.sluice.testing;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;

import io.netty.handler.ssl.util.InsecureTrustManagerFactory;

/** Connection over which a test sends and reads arbitrary bytes. */
public final class RawHttpConnection implements Closeable {

    private static final int TIMEOUT_MILLIS = 60_000;
    /** One for all connections, so that they resume the session of the first one. */
    private static final SSLSocketFactory TLS = trustingAll();

    /**
     * @param headerLines status line and header fields
     * @param complete false if the connection was closed before the end of the response
     */
    public record Response(int status, List<String> headerLines, byte[] body, boolean complete) {

        /** Returns the value of the first field of this name, or null. */
        public String header(String name) {
            return headerLines.stream()
                    .filter(line -> line.toLowerCase(Locale.ROOT).startsWith(name.toLowerCase(Locale.ROOT) + ": "))
                    .findFirst().map(line -> line.substring(name.length() + 2)).orElse(null);
        }

        public String text() {
            return new String(body, StandardCharsets.UTF_8);
        }
    }

    private final Socket socket;
    private final InputStream in;

    public RawHttpConnection(int port) throws IOException {
        this(port, LoopbackSocket.DEFAULT_ADDRESS);
    }

    /** @param localAddress source address of the connection */
    public RawHttpConnection(int port, String localAddress) throws IOException {
        this(LoopbackSocket.connect(port, localAddress));
    }

    private RawHttpConnection(Socket socket) throws IOException {
        this.socket = socket;
        socket.setSoTimeout(TIMEOUT_MILLIS);
        socket.setTcpNoDelay(true); // a small write would wait for the acknowledgement of the previous one
        in = new BufferedInputStream(socket.getInputStream());
    }

    /** Opens a connection with TLS, to a server with any certificate. */
    public static RawHttpConnection withTls(int port) throws IOException {
        return new RawHttpConnection(TLS.createSocket("127.0.0.1", port));
    }

    private static SSLSocketFactory trustingAll() {
        try {
            var tls = SSLContext.getInstance("TLS");
            tls.init(null, InsecureTrustManagerFactory.INSTANCE.getTrustManagers(), null);
            return tls.getSocketFactory();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Sends a request over a new connection and reads the response. */
    public static Response exchange(int port, String request) throws IOException {
        try (var connection = new RawHttpConnection(port)) {
            connection.send(request);
            return connection.readResponse();
        }
    }

    /** Returns a POST request with a body and its Content-Length. */
    public static String post(String target, String body, String... headers) {
        return "POST " + target + " HTTP/1.1\r\nHost: sluice\r\nContent-Type: application/json\r\n"
                + (headers.length == 0 ? "" : String.join("\r\n", headers) + "\r\n") + "Content-Length: "
                + body.getBytes(StandardCharsets.ISO_8859_1).length + "\r\n\r\n" + body;
    }

    /** Sends text in which each character stands for one byte. */
    public void send(String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
        socket.getOutputStream().flush();
    }

    /** Returns whether the server closes the connection without sending anything more. */
    public boolean isClosedByServer() throws IOException {
        return in.read() < 0;
    }

    /** Closes the connection abruptly. */
    public void reset() throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }

    /** Reads the next response, with as much of its body as arrives. */
    public Response readResponse() throws IOException {
        var head = readHeaderSection();
        int status = Integer.parseInt(head.get(0).split(" ")[1]);
        var body = new ByteArrayOutputStream();
        if (status < 200 || status == 204 || status == 304) {
            return new Response(status, head, new byte[0], true);
        }
        boolean complete;
        try {
            complete = readBody(new Response(status, head, null, false), body);
        } catch (EOFException e) {
            complete = false;
        } catch (java.net.SocketException e) {
            complete = false;
        }
        return new Response(status, head, body.toByteArray(), complete);
    }

    private boolean readBody(Response response, ByteArrayOutputStream body) throws IOException {
        var length = response.header("content-length");
        if (length != null) {
            read(Integer.parseInt(length), body);
            return true;
        }
        if (response.header("transfer-encoding") == null) {
            in.transferTo(body);
            return true;
        }
        while (true) {
            int size = Integer.parseInt(readLine(), 16);
            read(size, body);
            readLine();
            if (size == 0) {
                return true;
            }
        }
    }

    /**
     * Skips the body of a chunked response whose header section has been read.
     *
     * @return its length
     */
    public long skipChunkedBody() throws IOException {
        long skipped = 0;
        while (true) {
            int size = Integer.parseInt(readLine(), 16);
            in.skipNBytes(size);
            readLine();
            skipped += size;
            if (size == 0) {
                return skipped;
            }
        }
    }

    private void read(int length, ByteArrayOutputStream to) throws IOException {
        var bytes = in.readNBytes(length);
        to.write(bytes);
        if (bytes.length < length) {
            throw new EOFException();
        }
    }

    public List<String> readHeaderSection() throws IOException {
        var head = new ArrayList<String>();
        for (var line = readLine(); !line.isEmpty(); line = readLine()) {
            head.add(line);
        }
        return head;
    }

    /** Reads the next line, without its line terminator. */
    public String readLine() throws IOException {
        var line = new StringBuilder();
        for (int b = readByte(); b != '\n'; b = readByte()) {
            if (b != '\r') {
                line.append((char) b);
            }
        }
        return line.toString();
    }

    private int readByte() throws IOException {
        int b = in.read();
        if (b < 0) {
            throw new EOFException();
        }
        return b;
    }

    /** Resets the connection. */
    public void abort() throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
