package dev.sluice.testing.wire;

import static dev.sluice.testing.wire.Http2Frames.ACK;
import static dev.sluice.testing.wire.Http2Frames.DATA;
import static dev.sluice.testing.wire.Http2Frames.END_STREAM;
import static dev.sluice.testing.wire.Http2Frames.GOAWAY;
import static dev.sluice.testing.wire.Http2Frames.HEADERS;
import static dev.sluice.testing.wire.Http2Frames.RST_STREAM;
import static dev.sluice.testing.wire.Http2Frames.SETTINGS;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;

/**
 * Upstream of HTTP/2 with prior knowledge on plain sockets, which sends any frames. Responds to each request by a script when its
 * header section has arrived; a script may leave that to the test.
 */
public final class RawHttp2Upstream implements AutoCloseable {

    private static final int PREFACE_BYTES = 24;

    /** Responds to a request; runs on the thread that reads the frames of the connection. */
    @FunctionalInterface
    public interface Script {

        void respond(Stream stream) throws IOException;
    }

    /** A request, and the stream for its response. */
    public final class Stream {

        private final Connection connection;
        private final int id;
        private final int ordinal;
        private final String method;
        private final String path;

        private Stream(Connection connection, int id, int ordinal, Http2Headers fields) {
            this.connection = connection;
            this.id = id;
            this.ordinal = ordinal;
            this.method = fields.method().toString();
            this.path = fields.path().toString();
        }

        public int id() {
            return id;
        }

        /** Returns the number of this request on its connection, from 1. */
        public int ordinal() {
            return ordinal;
        }

        public String method() {
            return method;
        }

        public String path() {
            return path;
        }

        public void sendHead(int status, boolean end) throws IOException {
            sendHead(status, Map.of(), end);
        }

        public void sendHead(int status, Map<String, String> fields, boolean end) throws IOException {
            var headers = new DefaultHttp2Headers(false).status(Integer.toString(status));
            fields.forEach(headers::add);
            connection.frames.writeHeaders(id, headers, end);
        }

        public void send(String body, boolean end) throws IOException {
            connection.frames.write(DATA, end ? END_STREAM : 0, id,
                    Unpooled.wrappedBuffer(body.getBytes(StandardCharsets.ISO_8859_1)));
        }

        /** Sends a complete response with the status 200. */
        public void respond(String body) throws IOException {
            sendHead(200, false);
            send(body, true);
        }

        public void reset(int code) throws IOException {
            connection.frames.write(RST_STREAM, 0, id, Unpooled.buffer().writeInt(code));
        }

        /** Announces that no stream above the last one is processed. */
        public void goAway(int lastStream) throws IOException {
            connection.frames.write(GOAWAY, 0, 0, Unpooled.buffer().writeInt(lastStream).writeInt(0));
        }

        /** Closes the sending side of the connection (FIN), as a server does that announces nothing. */
        public void finish() throws IOException {
            connection.frames.finish();
        }
    }

    private final class Connection {

        private final Http2Frames frames;
        private int requests;

        Connection(Socket socket) throws IOException {
            frames = new Http2Frames(socket);
        }

        void serve() {
            try {
                frames.readPreface(PREFACE_BYTES);
                frames.write(SETTINGS, 0, 0, Unpooled.buffer().writeShort(3).writeInt(maxConcurrentStreams));
                frames.read(this::onFrame);
            } catch (IOException | Http2Exception e) {
                // Sluice or a script has closed the connection
            } finally {
                connections.remove(this);
                close();
            }
        }

        private void onFrame(int type, int flags, int id, byte[] payload) throws IOException, Http2Exception {
            if (type == HEADERS) {
                var stream = new Stream(this, id, ++requests, frames.decode(id, payload));
                received.add(stream);
                script.respond(stream);
            } else if (type == SETTINGS && (flags & ACK) == 0) {
                frames.write(SETTINGS, ACK, 0, Unpooled.EMPTY_BUFFER);
            }
        }

        void close() {
            try {
                frames.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private final ServerSocket server;
    private final int maxConcurrentStreams;
    private final Set<Connection> connections = ConcurrentHashMap.newKeySet();
    private final List<Stream> received = new CopyOnWriteArrayList<>();
    private volatile Script script;
    private volatile int accepted;

    public RawHttp2Upstream(Script script) {
        this(script, 1000);
    }

    public RawHttp2Upstream(Script script, int maxConcurrentStreams) {
        this.script = script;
        this.maxConcurrentStreams = maxConcurrentStreams;
        try {
            server = new ServerSocket(0, 500, InetAddress.getByName("127.0.0.1"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        start("raw http2 upstream", this::accept);
    }

    private static void start(String name, Runnable task) {
        var thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                var socket = server.accept();
                var connection = new Connection(socket);
                connections.add(connection);
                accepted++;
                start("raw http2 upstream connection", connection::serve);
            } catch (IOException e) {
                return;
            }
        }
    }

    public void setScript(Script next) {
        script = next;
    }

    public String url() {
        return "http://127.0.0.1:" + server.getLocalPort();
    }

    /** Returns the requests, in the order of their arrival. */
    public List<Stream> received() {
        return received;
    }

    public int openConnections() {
        return connections.size();
    }

    /** Returns how many connections have ever been opened. */
    public int acceptedConnections() {
        return accepted;
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (var connection : connections) {
            connection.close();
        }
    }
}
