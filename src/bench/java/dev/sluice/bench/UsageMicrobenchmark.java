package dev.sluice.bench;

import java.util.ArrayList;
import java.util.List;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderOperation;
import dev.sluice.llm.protocol.UsageExtractor;
import io.vertx.core.buffer.Buffer;

/** Extracts the usage from 1 MB of a streamed chat completion, in chunks of 8 KB. */
@State(Scope.Thread)
public class UsageMicrobenchmark {

    private static final int PIECE = 8 << 10;
    private final List<Buffer> stream = stream();

    private static List<Buffer> stream() {
        var event = "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1795000000,\"model\":\"gpt-4o\","
                + "\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word\"},\"logprobs\":null,\"finish_reason\":null}],"
                + "\"usage\":null}\n\n";
        var all = Buffer.buffer(1 << 20);
        while (all.length() + event.length() < 1_000_000) {
            all.appendString(event);
        }
        all.appendString("data: {\"id\":\"chatcmpl-1\",\"model\":\"gpt-4o\",\"choices\":[],\"usage\":{\"prompt_tokens\":12,"
                + "\"completion_tokens\":5,\"total_tokens\":17}}\n\ndata: [DONE]\n\n");
        var pieces = new ArrayList<Buffer>();
        for (int i = 0; i < all.length(); i += PIECE) {
            pieces.add(all.getBuffer(i, Math.min(i + PIECE, all.length())));
        }
        return pieces;
    }

    @Benchmark
    public Object read() {
        var reader = UsageExtractor.of(Provider.OPENAI, ProviderOperation.Shape.CHAT, "text/event-stream", null);
        stream.forEach(reader::feed);
        reader.end();
        if (reader.usage() == null) {
            throw new IllegalStateException("no usage was found");
        }
        return reader.usage();
    }
}
