package dev.sluice.llm.ledger;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

import dev.sluice.identity.chain.IdentityChain;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.redis.HashTags;
import dev.sluice.redis.RedisConnectionManager;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisOptions;

/** Ledger of past days, booked as the service does. */
public final class LedgerSample {

    private static final int HOURS_OF_DAY = 2;
    private static final List<String> MODELS = List.of("gpt-4o", "gpt-4o-mini");

    private LedgerSample() {
    }

    /**
     * Books calls of users {@code caller0} and so on, each with a key and a team of its own, in two hours of each day and of two
     * models.
     *
     * @param days number of days before today
     */
    public static void book(String redisUrl, int callers, int days) {
        var vertx = Vertx.vertx();
        var tags = new HashTags("sluice");
        var client = Redis.createClient(vertx, new RedisOptions().setConnectionString(redisUrl));
        var manager = new RedisConnectionManager(vertx, client::connect, tags, 10_000);
        try {
            manager.start().toCompletionStage().toCompletableFuture().join();
            var ledger = new RedisLedger(vertx, manager, tags, 100_000, new SimpleMeterRegistry(),
                    TimeUnit.MINUTES.toMillis(1));
            long today = TimeUnit.MILLISECONDS.toDays(System.currentTimeMillis());
            for (int day = 1; day <= days; day++) {
                for (int hour = 0; hour < HOURS_OF_DAY; hour++) {
                    book(ledger, callers, (today - day) * LedgerHash.HOURS_OF_DAY + 9 + hour);
                }
            }
        } finally {
            manager.close();
            vertx.close().toCompletionStage().toCompletableFuture().join();
        }
    }

    private static void book(RedisLedger ledger, int callers, long hour) {
        var booked = new ArrayList<Uni<Boolean>>();
        IntStream.range(0, callers).forEach(caller -> MODELS.forEach(model -> {
            var identifier = "user:caller" + caller;
            var owner = CallOwner.of(identifier,
                    new IdentityChain("key" + caller, null, "team" + caller, null, List.of(), List.of()));
            booked.add(ledger.book(new LedgerEntry(identifier, "openai", model, new TokenUsage(1000, 200, 0, 0, 300),
                    1_000_000_000L * (1 + caller), false, hour + model, -1, List.of(), owner), hour));
        }));
        Uni.join().all(booked).andFailFast().await().indefinitely();
    }
}
