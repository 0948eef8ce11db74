package dev.sluice.testing.wire;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import dev.sluice.testing.LoopbackSocket;
import dev.sluice.testing.wire.WireResponse.Ending;

/** Client connection of HTTP/1.0 or HTTP/1.1, which takes nothing for granted. */
public final class Http1Wire implements WireConnection {

    private static final int TIMEOUT_MILLIS = 30_000;
    private static final int UNTIL_CLOSED = -1;
    private static final int CHUNKED = -2;

    private final Socket socket;
    private final InputStream in;
    private final Wire version;
    private String method;
    /** Bytes left of a body with Content-Length; otherwise the kind of framing. */
    private long remaining;

    public Http1Wire(int port, String localAddress, Wire version) throws IOException {
        this(LoopbackSocket.connect(port, localAddress), version);
    }

    Http1Wire(Socket socket, Wire version) throws IOException {
        this.version = version;
        this.socket = socket;
        socket.setSoTimeout(TIMEOUT_MILLIS);
        socket.setTcpNoDelay(true);
        in = new BufferedInputStream(socket.getInputStream());
    }

    @Override
    public void send(WireRequest request) throws IOException {
        var head = new StringBuilder(request.method).append(' ').append(request.target)
                .append(version == Wire.HTTP_1_0 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
        if (request.fields.stream().noneMatch(field -> field.getKey().equalsIgnoreCase("host"))) {
            head.append("Host: sluice.test\r\n");
        }
        request.fields.forEach(field -> head.append(field.getKey()).append(": ").append(field.getValue()).append("\r\n"));
        method = request.method;
        send(head.append("\r\n").toString());
        if (request.body != null) {
            send(request.body);
        }
    }

    /** Sends text in which each character stands for one byte. */
    public void send(String text) throws IOException {
        send(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    public void send(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
        socket.getOutputStream().flush();
    }

    @Override
    public WireResponse readHead() throws IOException {
        try {
            while (true) {
                var lines = readLines();
                int status = Integer.parseInt(lines.get(0).split(" ")[1]);
                if (status >= 200 || status == 101) {
                    var response = new WireResponse(status, parse(lines.subList(1, lines.size())));
                    remaining = framing(response);
                    return response;
                }
            }
        } catch (EOFException e) {
            return new WireResponse(-1, List.of()).end(Ending.CLOSED_EARLY);
        } catch (SocketException e) {
            return new WireResponse(-1, List.of()).end(Ending.RESET);
        }
    }

    private static List<Map.Entry<String, String>> parse(List<String> lines) {
        return lines.stream().map(line -> {
            int colon = line.indexOf(':');
            return Map.entry(line.substring(0, colon), line.substring(colon + 1).strip());
        }).toList();
    }

    private long framing(WireResponse response) {
        int status = response.status();
        if ("HEAD".equals(method) || status == 204 || status == 304) {
            return 0;
        }
        if (!response.fields("transfer-encoding").isEmpty()) {
            return CHUNKED;
        }
        var length = response.field("content-length");
        return length == null ? UNTIL_CLOSED : Long.parseLong(length);
    }

    @Override
    public boolean readMore(WireResponse response) throws IOException {
        if (response.ending() != null) {
            return false;
        }
        try {
            return remaining == CHUNKED ? readChunk(response) : readBytes(response);
        } catch (EOFException e) {
            response.end(Ending.CLOSED_EARLY);
        } catch (SocketException e) {
            response.end(Ending.RESET);
        }
        return false;
    }

    private boolean readChunk(WireResponse response) throws IOException {
        int size = Integer.parseInt(readLine(), 16);
        if (size == 0) {
            response.addTrailers(parse(readLines()));
            response.end(Ending.COMPLETE);
            return false;
        }
        for (int left = size; left > 0;) {
            var bytes = in.readNBytes(Math.min(left, Math.max(1, in.available())));
            if (bytes.length == 0) {
                throw new EOFException();
            }
            response.add(bytes);
            left -= bytes.length;
        }
        readLine();
        return true;
    }

    private boolean readBytes(WireResponse response) throws IOException {
        if (remaining == 0) {
            response.end(Ending.COMPLETE);
            return false;
        }
        var buffer = new byte[(int) (remaining < 0 ? 65536 : Math.min(65536, remaining))];
        int read = in.read(buffer);
        if (read < 0) {
            response.end(remaining < 0 ? Ending.COMPLETE : Ending.CLOSED_EARLY);
            return false;
        }
        response.add(java.util.Arrays.copyOf(buffer, read));
        remaining -= remaining < 0 ? 0 : read;
        return true;
    }

    private List<String> readLines() throws IOException {
        var lines = new ArrayList<String>();
        for (var line = readLine(); !line.isEmpty(); line = readLine()) {
            lines.add(line);
        }
        return lines;
    }

    private String readLine() throws IOException {
        var line = new ByteArrayOutputStream();
        for (int b = in.read(); b != '\n'; b = in.read()) {
            if (b < 0) {
                throw new EOFException();
            }
            if (b != '\r') {
                line.write(b);
            }
        }
        return line.toString(StandardCharsets.ISO_8859_1);
    }

    /** Returns the input, which may begin with bytes that no response has been read from. */
    public InputStream in() {
        return in;
    }

    /** Closes the sending side (FIN). */
    public void finish() throws IOException {
        socket.shutdownOutput();
    }

    @Override
    public void abort() throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
