package dev.sluice.service.edge;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http2.Http2ConnectionDecoder;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameListenerDecorator;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Settings;

/**
 * Resets the streams of malformed HTTP/2 requests (RFC 9113, section 8.1.1) that Vert.x does not recognize: for a method that is
 * not a token it closes the connection with the streams of all others, and of several Host fields it takes the first.
 */
final class Http2RequestGuard extends Http2FrameListenerDecorator {

    /** Characters of a token that are neither letters nor digits (RFC 9110, section 5.6.2). */
    private static final String TOKEN_MARKS = "!#$%&'*+-.^_`|~";

    private final Http2ConnectionDecoder decoder;

    private Http2RequestGuard(Http2ConnectionDecoder decoder) {
        super(decoder.frameListener());
        this.decoder = decoder;
    }

    /** Adds the guard if the pipeline is that of HTTP/2. To be called before the first frame is read. */
    static void install(ChannelPipeline pipeline) {
        var handler = pipeline.get(Http2ConnectionHandler.class);
        if (handler != null) {
            handler.decoder().frameListener(new Http2RequestGuard(handler.decoder()));
        }
    }

    /** Vert.x replaces the listener when it has read the first settings, which come before all requests. */
    @Override
    public void onSettingsRead(ChannelHandlerContext context, Http2Settings settings) throws Http2Exception {
        super.onSettingsRead(context, settings);
        if (!(decoder.frameListener() instanceof Http2RequestGuard)) {
            decoder.frameListener(new Http2RequestGuard(decoder));
        }
    }

    @Override
    public void onHeadersRead(ChannelHandlerContext context, int stream, Http2Headers headers, int padding, boolean end)
            throws Http2Exception {
        check(stream, headers);
        super.onHeadersRead(context, stream, headers, padding, end);
    }

    @Override
    public void onHeadersRead(ChannelHandlerContext context, int stream, Http2Headers headers, int dependency, short weight,
            boolean exclusive, int padding, boolean end) throws Http2Exception {
        check(stream, headers);
        super.onHeadersRead(context, stream, headers, dependency, weight, exclusive, padding, end);
    }

    private static void check(int stream, Http2Headers headers) throws Http2Exception {
        var method = headers.method();
        if (method != null && !isToken(method)) {
            throw Http2Exception.streamError(stream, Http2Error.PROTOCOL_ERROR, "The method must be a token");
        }
        if (headers.contains(HttpHeaderNames.HOST) && headers.getAll(HttpHeaderNames.HOST).size() > 1) {
            throw Http2Exception.streamError(stream, Http2Error.PROTOCOL_ERROR, "The request has several Host fields");
        }
    }

    private static boolean isToken(CharSequence text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (!(c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || TOKEN_MARKS.indexOf(c) >= 0)) {
                return false;
            }
        }
        return text.length() > 0;
    }
}
