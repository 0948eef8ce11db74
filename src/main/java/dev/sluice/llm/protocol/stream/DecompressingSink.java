package dev.sluice.llm.protocol.stream;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.compression.JdkZlibDecoder;
import io.netty.handler.codec.compression.ZlibWrapper;

/** Inflates what passes through, a little at a time: however much it comes to, no more than a piece of it is held. */
public final class DecompressingSink implements ByteSink {

    /** Bytes of input at a time; none of them can become more than a thousand. */
    private static final int PIECE = 256;

    private final EmbeddedChannel channel;
    private final ByteSink plain;
    private boolean broken;

    private DecompressingSink(JdkZlibDecoder decoder, ByteSink plain) {
        this.plain = plain;
        channel = new EmbeddedChannel(decoder, new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext context, Object message) {
                take((ByteBuf) message);
            }
        });
    }

    public static DecompressingSink gzip(ByteSink plain) {
        return new DecompressingSink(new JdkZlibDecoder(true, 0), plain);
    }

    /** With zlib's frame, as it should be, or without, as some send it. */
    public static DecompressingSink deflate(ByteSink plain) {
        return new DecompressingSink(new JdkZlibDecoder(ZlibWrapper.ZLIB_OR_NONE, 0), plain);
    }

    @Override
    public void take(byte[] bytes, int from, int to) {
        try {
            for (int i = from; i < to && !broken; i += PIECE) {
                channel.writeInbound(Unpooled.copiedBuffer(bytes, i, Math.min(PIECE, to - i)));
            }
        } catch (DecoderException e) {
            broken = true;
        }
    }

    @Override
    public void end() {
        try {
            channel.finishAndReleaseAll();
        } catch (DecoderException e) {
            broken = true;
        }
        if (broken) {
            plain.cut();
        } else {
            plain.end();
        }
    }

    private void take(ByteBuf inflated) {
        try {
            var bytes = new byte[inflated.readableBytes()];
            inflated.readBytes(bytes);
            plain.take(bytes, 0, bytes.length);
        } finally {
            inflated.release();
        }
    }
}
