package dev.sluice.llm.protocol.stream;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.compression.JdkZlibDecoder;
import io.netty.handler.codec.compression.ZlibWrapper;

/**
 * Decompresses bytes in small pieces, so that only one piece of the output is in memory, whatever the compression ratio.
 * Stops at a limit, because decompression bombs take time too. Not thread-safe.
 */
public final class DecompressingSink implements ByteSink {

    /** Ratio up to which a response may exceed the limit: JSON is compressed to a tenth, or less where it repeats itself. */
    public static final int MAX_RATIO = 100;

    /** Input bytes decompressed at a time. The compression ratio of deflate is at most about 1000. */
    private static final int INPUT_CHUNK_BYTES = 256;

    private final EmbeddedChannel channel;
    private final ByteSink target;
    private final long maxBytes;
    private long compressedBytes;
    private long decompressedBytes;
    private boolean failed;

    private DecompressingSink(JdkZlibDecoder decoder, ByteSink target, long maxBytes) {
        this.target = target;
        this.maxBytes = maxBytes;
        channel = new EmbeddedChannel(decoder, new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext context, Object message) {
                write((ByteBuf) message);
            }
        });
    }

    /**
     * Creates a sink for gzip (RFC 1952).
     *
     * @param target receives the decompressed bytes
     * @param maxBytes decompressed bytes after which a sequence of a ratio above {@value #MAX_RATIO} is aborted
     * @return the sink
     */
    public static DecompressingSink gzip(ByteSink target, long maxBytes) {
        return new DecompressingSink(new JdkZlibDecoder(true, 0), target, maxBytes);
    }

    /**
     * Creates a sink for the HTTP encoding {@code deflate}, with a zlib header (RFC 1950), as specified, or without one
     * (RFC 1951), as some servers send it.
     *
     * @param target receives the decompressed bytes
     * @param maxBytes decompressed bytes after which a sequence of a ratio above {@value #MAX_RATIO} is aborted
     * @return the sink
     */
    public static DecompressingSink deflate(ByteSink target, long maxBytes) {
        return new DecompressingSink(new JdkZlibDecoder(ZlibWrapper.ZLIB_OR_NONE, 0), target, maxBytes);
    }

    @Override
    public void write(byte[] bytes, int from, int to) {
        try {
            for (int i = from; i < to && !failed; i += INPUT_CHUNK_BYTES) {
                int size = Math.min(INPUT_CHUNK_BYTES, to - i);
                compressedBytes += size;
                channel.writeInbound(Unpooled.copiedBuffer(bytes, i, size));
                failed = decompressedBytes > maxBytes && decompressedBytes / MAX_RATIO > compressedBytes;
            }
        } catch (DecoderException e) {
            failed = true;
        }
    }

    @Override
    public void end() {
        try {
            channel.finishAndReleaseAll();
        } catch (DecoderException e) {
            failed = true;
        }
        if (failed) {
            target.abort();
        } else {
            target.end();
        }
    }

    private void write(ByteBuf decompressed) {
        try {
            var bytes = new byte[decompressed.readableBytes()];
            decompressed.readBytes(bytes);
            decompressedBytes += bytes.length;
            target.write(bytes, 0, bytes.length);
        } finally {
            decompressed.release();
        }
    }
}
