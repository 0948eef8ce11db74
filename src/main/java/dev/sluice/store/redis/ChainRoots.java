package dev.sluice.store.redis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import org.jboss.logging.Logger;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;

import dev.sluice.redis.HashTags;
import dev.sluice.redis.LuaScript;
import dev.sluice.redis.RedisConnectionManager;
import io.vertx.core.Future;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;

/**
 * Names under which the windows of an identifier are stored on a Redis Cluster: its own, and one for each root of its chains. The roots
 * are noted in a set, apart from decisions, so that usage can be read and reset under every name. Thread-safe.
 */
final class ChainRoots {

    private static final Logger LOG = Logger.getLogger(ChainRoots.class);
    private static final int MAX_NOTED = 50_000;
    private static final Duration NOTED_FOR = Duration.ofHours(12);
    /** Longer than any window and its usage can live. */
    private static final String LIFETIME_SECONDS = Long.toString(Duration.ofDays(64).toSeconds());
    private static final LuaScript NOTE = LuaScript.load(ChainRoots.class, "root.lua");

    private final RedisConnectionManager manager;
    private final HashTags hashTags;
    /** Names that this instance has noted lately. */
    private final Cache<String, Boolean> noted = Caffeine.newBuilder().executor(Runnable::run).maximumSize(MAX_NOTED)
            .expireAfterWrite(NOTED_FOR).build();

    ChainRoots(RedisConnectionManager manager, HashTags hashTags) {
        this.manager = manager;
        this.hashTags = hashTags;
    }

    private String key(String identifier) {
        return hashTags.keyPrefix(identifier) + "c:" + identifier;
    }

    /** Notes, in the background, that windows are stored under a name. */
    void note(String stored) {
        var root = HashTags.rootOf(stored);
        if (root == null || noted.asMap().putIfAbsent(stored, Boolean.TRUE) != null) {
            return;
        }
        manager.eval(NOTE, List.of(key(HashTags.withoutRoot(stored))), List.of(root, LIFETIME_SECONDS)).onFailure(failure -> {
            noted.invalidate(stored);
            LOG.debug("Root of a chain could not be noted", failure);
        });
    }

    /** Returns the names under which the windows of an identifier are stored. */
    Future<List<String>> names(String identifier) {
        return manager.send(Request.cmd(Command.SMEMBERS).arg(key(identifier))).map(roots -> {
            var names = new ArrayList<String>();
            names.add(identifier);
            if (roots != null) {
                roots.stream().map(Response::toString).map(root -> HashTags.inSlotOf(root, identifier))
                        .filter(name -> !name.equals(identifier)).forEach(names::add);
            }
            return names;
        });
    }
}
