package dev.sluice.service.proxy;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;

/**
 * Drops interim (1xx) responses that the Vert.x HTTP client would take for the final response (RFC 9110, section 15.2: a client
 * ignores those it does not know). Otherwise the final response would be delivered to the next request on the connection. See
 * <a href="https://github.com/eclipse-vertx/vert.x/pull/4508">vert.x#4508</a>.
 */
final class InterimResponseFilter extends ChannelInboundHandlerAdapter {

    private static final int SWITCHING_PROTOCOLS = 101;
    private static final int EARLY_HINTS = 103;

    private boolean dropping;

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (message instanceof HttpResponse response) {
            int status = response.status().code();
            dropping = status > SWITCHING_PROTOCOLS && status < 200 && status != EARLY_HINTS;
        }
        if (!dropping) {
            context.fireChannelRead(message);
            return;
        }
        if (message instanceof LastHttpContent) {
            dropping = false;
        }
        ReferenceCountUtil.release(message);
    }
}
