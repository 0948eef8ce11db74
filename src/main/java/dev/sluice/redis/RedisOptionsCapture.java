package dev.sluice.redis;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import jakarta.inject.Singleton;

import io.quarkus.redis.client.RedisOptionsCustomizer;
import io.vertx.redis.client.RedisOptions;

/** Remembers what Quarkus, and whoever customizes it, has made of the settings of its Redis clients. Changes nothing. */
@Singleton
class RedisOptionsCapture implements RedisOptionsCustomizer {

    private final Map<String, RedisOptions> options = new ConcurrentHashMap<>();

    @Override
    public void customize(String clientName, RedisOptions customized) {
        options.put(clientName, customized);
    }

    /** Null where Quarkus made no client of this name. */
    RedisOptions of(String clientName) {
        return options.get(clientName);
    }
}
