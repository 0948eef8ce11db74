package dev.sluice.service.edge;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Proxy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.testing.EmbeddedConnection;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http2.Http2CodecUtil;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2ConnectionHandlerBuilder;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameAdapter;
import io.netty.util.ReferenceCountUtil;
import io.vertx.core.http.HttpServerResponse;

/** Slow and idle clients lose their connection on time; clients that make progress keep it. */
class ConnectionTimeoutHandlerTest {

    private static final int HEAD = 500;
    private static final int KEEP_ALIVE = 2000;
    private static final int WRITE_STALL = 1000;
    /** More than any timeout. */
    private static final int LONG = 20_000;
    private static final int INTERVAL = 100;

    private final EmbeddedConnection connection = new EmbeddedConnection();
    private final ConnectionTimeoutHandler handler = new ConnectionTimeoutHandler(
            new ConnectionTimeoutHandler.Limits(HEAD, KEEP_ALIVE, WRITE_STALL), connection::nanoTime);

    /** State of a response, as the handler sees it. */
    private static final class Response {

        private boolean ended;
        private boolean full;
        private long written;
        private boolean reset;

        private HttpServerResponse asResponse() {
            return (HttpServerResponse) Proxy.newProxyInstance(HttpServerResponse.class.getClassLoader(),
                    new Class<?>[]{HttpServerResponse.class}, (proxy, method, arguments) -> switch (method.getName()) {
                        case "ended" -> ended;
                        case "closed" -> reset;
                        case "writeQueueFull" -> full;
                        case "bytesWritten" -> written;
                        case "reset" -> reset = true;
                        default -> throw new AssertionError(method);
                    });
        }
    }

    private void openHttp1() {
        connection.open(handler, new ChannelInboundHandlerAdapter() {

            @Override
            public void channelRead(ChannelHandlerContext context, Object bytes) {
                ReferenceCountUtil.release(bytes); // in place of the decoder
            }
        });
    }

    /** @return the HTTP/2 handler; the client has sent its preface and settings */
    private Http2ConnectionHandler openHttp2() {
        var http2 = new Http2ConnectionHandlerBuilder().server(true).frameListener(new Http2FrameAdapter()).build();
        connection.open(handler, http2);
        receive(Http2CodecUtil.connectionPrefaceBuf());
        receive(Unpooled.wrappedBuffer(new byte[]{0, 0, 0, 4, 0, 0, 0, 0, 0}));
        return http2;
    }

    private void receive(ByteBuf bytes) {
        connection.channel().writeInbound(bytes);
    }

    private void receive() {
        receive(Unpooled.wrappedBuffer(new byte[]{'x'}));
    }

    private void receivePing() {
        receive(Unpooled.wrappedBuffer(new byte[]{0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8}));
    }

    /** Receives the rest of a header section. */
    private Response request() {
        receive();
        var response = new Response();
        handler.onRequest(response.asResponse(), false);
        return response;
    }

    private Response stream() {
        var response = new Response();
        handler.onRequest(response.asResponse(), true);
        return response;
    }

    private boolean isOpen() {
        return connection.channel().isOpen();
    }

    /** @return the milliseconds until the connection is closed if a byte arrives after each interval */
    private int millisToCloseWhileTrickling() {
        int millis = 0;
        while (isOpen() && millis < LONG) {
            receive();
            int passed = (int) connection.millisToClose(INTERVAL - 1);
            millis += passed;
        }
        return millis;
    }

    @AfterEach
    void close() {
        connection.channel().finishAndReleaseAll();
    }

    @Test
    void tricklingHeaderSectionIsClosed() {
        openHttp1();
        assertThat(millisToCloseWhileTrickling()).isBetween(HEAD, 2 * HEAD);
    }

    @Test
    void tricklingSecondHeaderSectionIsClosed() {
        openHttp1();
        request().ended = true;
        connection.advance(INTERVAL);
        assertThat(millisToCloseWhileTrickling()).isBetween(HEAD, 2 * HEAD);
    }

    @Test
    void silentConnectionIsClosedAfterTheTimeOfAHeaderSection() {
        openHttp1();
        assertThat(connection.millisToClose(LONG)).isEqualTo(HEAD);
    }

    @Test
    void idleConnectionIsClosed() {
        openHttp1();
        for (int i = 0; i < 3; i++) {
            request().ended = true;
            connection.advance(KEEP_ALIVE / 2);
        }
        assertThat(connection.millisToClose(LONG)).isBetween((long) KEEP_ALIVE / 2, (long) KEEP_ALIVE / 2 + HEAD);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, INTERVAL, HEAD, KEEP_ALIVE - HEAD, KEEP_ALIVE - 1})
    void usedConnectionStaysOpen(int interval) {
        openHttp1();
        for (int millis = 0; millis < LONG; millis += interval) {
            request().ended = true;
            connection.advance(interval);
            assertThat(isOpen()).as("after %d ms", millis + interval).isTrue();
        }
    }

    @Test
    void slowHeaderSectionsWithinTheirTimeoutAreAccepted() {
        openHttp1();
        for (int i = 0; i < 20; i++) {
            for (int millis = 0; millis < HEAD - INTERVAL; millis += INTERVAL) {
                receive();
                connection.advance(INTERVAL);
            }
            request().ended = true;
            connection.advance(HEAD);
            assertThat(isOpen()).as("after request %d", i).isTrue();
        }
    }

    @Test
    void slowUploadCompletes() {
        openHttp1();
        var response = request();
        for (int millis = 0; millis < LONG; millis += INTERVAL) {
            receive();
            connection.advance(INTERVAL);
        }
        assertThat(isOpen()).isTrue();
        response.ended = true;
        assertThat(connection.millisToClose(LONG)).isBetween((long) KEEP_ALIVE, (long) KEEP_ALIVE + HEAD);
    }

    @Test
    void longStreamCompletes() {
        openHttp1();
        var response = request();
        connection.advance(LONG); // silent
        response.full = true; // slow, but read
        for (int millis = 0; millis < LONG; millis += WRITE_STALL - HEAD) {
            response.written++;
            connection.advance(WRITE_STALL - HEAD);
        }
        assertThat(isOpen()).isTrue();
        response.full = false;
        response.ended = true;
        assertThat(connection.millisToClose(LONG)).isBetween((long) KEEP_ALIVE, (long) KEEP_ALIVE + HEAD);
    }

    @Test
    void stalledReaderIsClosed() {
        openHttp1();
        var response = request();
        response.written = 1;
        response.full = true;
        assertThat(connection.millisToClose(LONG)).isBetween((long) WRITE_STALL, (long) WRITE_STALL + 2 * HEAD);
    }

    @Test
    void closedConnectionIsNotChecked() {
        openHttp1();
        assertThat(connection.channel().runScheduledPendingTasks()).as("nanoseconds to the next check").isPositive();
        connection.channel().pipeline().fireChannelInactive();
        assertThat(connection.channel().runScheduledPendingTasks()).as("no check").isEqualTo(-1);
    }

    @Test
    void silentWebSocketStaysOpen() {
        openHttp1();
        request().ended = true;
        handler.stop();
        connection.advance(LONG);
        receive();
        connection.advance(LONG);
        assertThat(isOpen()).isTrue();
    }

    @Test
    void http2PingsDoNotKeepAConnectionOpen() {
        openHttp2();
        long millis = 0;
        while (isOpen() && millis < LONG) {
            receivePing();
            millis += connection.millisToClose(INTERVAL - 1);
        }
        assertThat(millis).isBetween((long) KEEP_ALIVE, (long) KEEP_ALIVE + HEAD);
    }

    /** The streams begin and end between two checks. */
    @ParameterizedTest
    @ValueSource(ints = {INTERVAL, KEEP_ALIVE - HEAD, KEEP_ALIVE - 1})
    void usedHttp2ConnectionStaysOpen(int interval) {
        openHttp2();
        for (int millis = 0; millis < LONG; millis += interval) {
            connection.advance(interval);
            assertThat(isOpen()).as("after %d ms", millis + interval).isTrue();
            receivePing(); // in place of the frames of the request
            stream().ended = true;
        }
        assertThat(connection.millisToClose(LONG)).isBetween((long) KEEP_ALIVE, (long) KEEP_ALIVE + HEAD);
    }

    @Test
    void openHttp2StreamKeepsTheConnectionOpen() throws Http2Exception {
        var http2 = openHttp2();
        var stream = http2.connection().remote().createStream(1, false);
        stream();
        connection.advance(LONG);
        assertThat(isOpen()).isTrue();
        stream.close();
        assertThat(connection.millisToClose(LONG)).isBetween((long) KEEP_ALIVE, (long) KEEP_ALIVE + HEAD);
    }

    @Test
    void onlyTheStreamOfAStalledHttp2ReaderIsReset() throws Http2Exception {
        var http2 = openHttp2();
        http2.connection().remote().createStream(1, false);
        http2.connection().remote().createStream(3, false);
        var read = stream();
        var stalled = stream();
        stalled.full = true;
        connection.advance(WRITE_STALL - 1);
        assertThat(stalled.reset).isFalse();
        connection.advance(2 * HEAD + 1);
        assertThat(stalled.reset).isTrue();
        assertThat(read.reset).isFalse();
        assertThat(isOpen()).isTrue();
    }
}
