package dev.sluice.redis;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import jakarta.inject.Singleton;

import io.quarkus.redis.client.RedisOptionsCustomizer;
import io.vertx.redis.client.RedisOptions;

/** Records the options of Quarkus's Redis clients, after all customizers, without changing them. */
@Singleton
class RedisOptionsCapture implements RedisOptionsCustomizer {

    private final Map<String, RedisOptions> options = new ConcurrentHashMap<>();

    @Override
    public void customize(String clientName, RedisOptions customized) {
        options.put(clientName, customized);
    }

    /** @return the options of a client; null if Quarkus created no client of this name */
    RedisOptions of(String clientName) {
        return options.get(clientName);
    }
}
