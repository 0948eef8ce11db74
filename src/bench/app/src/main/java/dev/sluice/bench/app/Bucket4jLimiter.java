package dev.sluice.bench.app;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;

import org.eclipse.microprofile.config.inject.ConfigProperty;

import io.github.bucket4j.BucketConfiguration;
import io.github.bucket4j.distributed.ExpirationAfterWriteStrategy;
import io.github.bucket4j.distributed.proxy.AsyncProxyManager;
import io.github.bucket4j.redis.lettuce.Bucket4jLettuce;
import io.lettuce.core.RedisClient;

/** Limiter based on Bucket4j's asynchronous Lettuce proxies, with buckets of the same size as the rule of {@code /ok}. */
@ApplicationScoped
public class Bucket4jLimiter {

    private static final int TOKENS = 1000;

    private final RedisClient client;
    private final AsyncProxyManager<byte[]> proxies;
    private final CompletableFuture<BucketConfiguration> configuration = CompletableFuture
            .completedFuture(BucketConfiguration.builder()
                    .addLimit(limit -> limit.capacity(TOKENS).refillGreedy(TOKENS, Duration.ofMinutes(1))).build());

    Bucket4jLimiter(@ConfigProperty(name = "quarkus.redis.hosts") String redis) {
        client = RedisClient.create(redis);
        proxies = Bucket4jLettuce.casBasedBuilder(client)
                .expirationAfterWrite(
                        ExpirationAfterWriteStrategy.basedOnTimeForRefillingBucketUpToMax(Duration.ofSeconds(10)))
                .build().asAsync();
    }

    CompletableFuture<Boolean> tryConsume(String user) {
        return proxies.builder().build(("bucket4j:" + user).getBytes(StandardCharsets.UTF_8), () -> configuration)
                .tryConsume(1);
    }

    @PreDestroy
    void close() {
        client.shutdown();
    }
}
