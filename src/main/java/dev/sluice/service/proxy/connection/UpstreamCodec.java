package dev.sluice.service.proxy.connection;

import java.nio.charset.StandardCharsets;
import java.util.List;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.CombinedChannelDuplexHandler;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.DecoderResult;
import io.netty.handler.codec.http.HttpConstants;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpRequestEncoder;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseDecoder;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http2.Http2ConnectionDecoder;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameListenerDecorator;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import io.netty.util.ReferenceCountUtil;
import io.vertx.core.http.HttpHeaders;

/**
 * HTTP/1.1 codec of a connection to an upstream. Unlike Netty's {@code HttpClientCodec}, it tells whether the upstream has sent more
 * than its response, notices a body that TLS does not end, and writes each character of a request target as one byte, as it came
 * from the client.
 */
final class UpstreamCodec extends CombinedChannelDuplexHandler<UpstreamCodec.Decoder, UpstreamCodec.Encoder> {

    private static final int MAX_HEAD_BYTES = 64 * 1024;
    /** As much as Netty reads at once. */
    private static final int MAX_CHUNK_BYTES = 64 * 1024;

    private static final int SWITCHING_PROTOCOLS = 101;
    private static final int EARLY_HINTS = 103;

    private static final CharSequence EARLY_HINTS_TEXT = HttpHeaders.createOptimized(Integer.toString(EARLY_HINTS));

    private final Decoder decoder = new Decoder();

    UpstreamCodec() {
        init(decoder, new Encoder());
    }

    /** Sets whether the next response has no body, whatever its header section says. */
    void expectBodiless(boolean bodiless) {
        decoder.bodiless = bodiless;
    }

    /** Returns whether bytes have arrived that belong to no response. */
    boolean hasSurplus() {
        return decoder.hasSurplus();
    }

    private static boolean isUnknownInterim(int status) {
        return status > SWITCHING_PROTOCOLS && status < 200 && status != EARLY_HINTS;
    }

    /**
     * Hides interim responses of HTTP/2 from the Vert.x client, which would take them for the final response: it sees each as 103
     * (Early Hints). One that ends its stream stays what it is, an invalid response.
     */
    static void hideInterimResponses(Http2ConnectionDecoder decoder) {
        decoder.frameListener(new Http2FrameListenerDecorator(decoder.frameListener()) {

            @Override
            public void onHeadersRead(ChannelHandlerContext context, int stream, Http2Headers headers, int padding, boolean end)
                    throws Http2Exception {
                hideInterim(headers, end);
                super.onHeadersRead(context, stream, headers, padding, end);
            }

            @Override
            public void onHeadersRead(ChannelHandlerContext context, int stream, Http2Headers headers, int dependency,
                    short weight, boolean exclusive, int padding, boolean end) throws Http2Exception {
                hideInterim(headers, end);
                super.onHeadersRead(context, stream, headers, dependency, weight, exclusive, padding, end);
            }
        });
    }

    private static void hideInterim(Http2Headers headers, boolean end) {
        var status = headers.status();
        if (!end && status != null && status.length() == 3 && status.charAt(0) == '1'
                && isUnknownInterim(100 + 10 * (status.charAt(1) - '0') + status.charAt(2) - '0')) {
            headers.status(EARLY_HINTS_TEXT);
        }
    }

    static final class Decoder extends HttpResponseDecoder {

        private boolean bodiless;
        private boolean interim;
        /** True if only the end of the connection can end the body. */
        private boolean untilClosed;
        /** True if the connection has ended without the end of TLS (close_notify). */
        private boolean truncated;

        Decoder() {
            super(new HttpDecoderConfig().setMaxInitialLineLength(MAX_HEAD_BYTES).setMaxHeaderSize(MAX_HEAD_BYTES)
                    .setMaxChunkSize(MAX_CHUNK_BYTES));
        }

        boolean hasSurplus() {
            return actualReadableBytes() > 0;
        }

        /**
         * Drops interim (1xx) responses that the Vert.x client would take for the final response (RFC 9110, section 15.2: a client
         * ignores those it does not know). Otherwise the final response would be delivered to the next request on the connection. See
         * <a href="https://github.com/eclipse-vertx/vert.x/pull/4508">vert.x#4508</a>.
         */
        @Override
        protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) throws Exception {
            int decoded = out.size();
            super.decode(context, in, out);
            for (var added = out.listIterator(decoded); added.hasNext();) {
                var message = added.next();
                if (message instanceof HttpResponse response) {
                    interim = isUnknownInterim(response.status().code());
                    checkTransferCoding(response);
                    untilClosed = !HttpUtil.isTransferEncodingChunked(response)
                            && !response.headers().contains(HttpHeaderNames.CONTENT_LENGTH);
                }
                if (interim) {
                    added.remove();
                    ReferenceCountUtil.release(message);
                }
            }
        }

        /**
         * Fails a response with a transfer coding that nobody has asked for: Netty ignores it, and would take the length from
         * elsewhere (RFC 9112, sections 6.1 and 6.3).
         */
        private static void checkTransferCoding(HttpResponse response) {
            if (response.headers().contains(HttpHeaderNames.TRANSFER_ENCODING)) {
                var codings = response.headers().getAll(HttpHeaderNames.TRANSFER_ENCODING);
                var coding = codings.size() == 1 ? codings.get(0).strip() : "";
                if (!coding.equalsIgnoreCase("chunked") && !coding.equalsIgnoreCase("identity")) {
                    response.setDecoderResult(DecoderResult.failure(new DecoderException("Unknown transfer coding")));
                }
            }
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) throws Exception {
            truncated |= event instanceof SslCloseCompletionEvent closed && !closed.isSuccess();
            super.userEventTriggered(context, event);
        }

        /** Leaves a body incomplete that ends with the connection, but not with the end of TLS (RFC 9112, section 9.8). */
        @Override
        protected void decodeLast(ChannelHandlerContext context, ByteBuf in, List<Object> out) throws Exception {
            int decoded = out.size();
            super.decodeLast(context, in, out);
            if (truncated && untilClosed && out.size() > decoded && out.get(out.size() - 1) instanceof LastHttpContent) {
                ReferenceCountUtil.release(out.remove(out.size() - 1));
            }
        }

        @Override
        protected boolean isContentAlwaysEmpty(HttpMessage message) {
            return bodiless && ((HttpResponse) message).status().code() >= 200 || super.isContentAlwaysEmpty(message);
        }
    }

    static final class Encoder extends HttpRequestEncoder {

        @Override
        protected void encodeInitialLine(ByteBuf out, HttpRequest request) {
            out.writeCharSequence(request.method().name(), StandardCharsets.US_ASCII);
            out.writeByte(HttpConstants.SP);
            out.writeCharSequence(request.uri(), StandardCharsets.ISO_8859_1);
            out.writeByte(HttpConstants.SP);
            out.writeCharSequence(request.protocolVersion().text(), StandardCharsets.US_ASCII);
            out.writeShort(HttpConstants.CR << 8 | HttpConstants.LF);
        }
    }
}
