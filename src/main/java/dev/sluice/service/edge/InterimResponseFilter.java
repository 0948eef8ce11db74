package dev.sluice.service.edge;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.net.impl.ConnectionBase;

/**
 * Drops interim responses that the HTTP client would take for the answer (RFC 9110, 15.2: a client passes over those that it
 * does not know). The answer that follows would go to whoever uses the connection next.
 */
public final class InterimResponseFilter extends ChannelInboundHandlerAdapter {

    private static final int SWITCHING_PROTOCOLS = 101;
    private static final int EARLY_HINTS = 103;

    private boolean dropping;

    public static void dropOn(HttpConnection connection) {
        ((ConnectionBase) connection).channel().pipeline().addBefore("handler", "interim-responses",
                new InterimResponseFilter());
    }

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
