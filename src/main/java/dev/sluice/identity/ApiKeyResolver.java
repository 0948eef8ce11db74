package dev.sluice.identity;

import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

import jakarta.enterprise.context.ApplicationScoped;

import org.jspecify.annotations.Nullable;

import dev.sluice.directory.cache.CallerDirectory;
import dev.sluice.directory.cache.KeyResult;
import io.smallrye.mutiny.Uni;

/**
 * Resolves API keys: those of the settings and the rules file, which win, and those that are stored in Redis. What is in the cache
 * is returned at once. Thread-safe. Internal.
 */
@ApplicationScoped
public class ApiKeyResolver {

    /** Beginning of the keys that Sluice generates. */
    public static final String KEY_PREFIX = CallerDirectory.KEY_PREFIX;

    /** Shortest text that is looked up among the stored keys before it is forwarded; no key is shorter. */
    private static final int MIN_KEY_LENGTH = 16;

    private final ApiKeyRegistry configured;
    private final CallerDirectory stored;
    private final IdentityEnricher enricher;

    ApiKeyResolver(ApiKeyRegistry configured, CallerDirectory stored, IdentityEnricher enricher) {
        this.configured = configured;
        this.stored = stored;
        this.enricher = enricher;
    }

    /**
     * Owner of a key.
     *
     * @param identity the owner; null if the text is not a valid key
     */
    public record Owner(@Nullable Identity identity) {

        /** Owner of a text that is not a valid key. */
        public static final Owner NONE = new Owner(null);
    }

    /** Returns whether there are any keys; stored ones do not count while it is not known whether there are any. */
    public boolean hasKeys() {
        return configured.hasKeys() || stored.hasKeys();
    }

    /** Returns whether a text in {@code X-API-Key} is a credential. Where there are no keys, the header is the upstream's. */
    public boolean isCredential(String text) {
        return configured.hasKeys() || stored.mayHaveKey(text);
    }

    /**
     * Returns the owner of a key.
     *
     * @return null if it is to be {@linkplain #load read from Redis}
     */
    public @Nullable Owner find(String text) {
        var identity = configured.find(text);
        if (identity != null) {
            var enriched = enricher.find(identity, null, null);
            return enriched == null ? null : new Owner(enriched);
        }
        if (!stored.mayHaveKey(text)) {
            return Owner.NONE;
        }
        var result = stored.findKey(Sha256.hex(text));
        return result == null ? null : owner(result);
    }

    /**
     * Reads the owner of a key from Redis.
     *
     * @return completes on the subscriber's Vert.x context; fails with {@link dev.sluice.api.StoreUnavailableException} if the key may
     *         be a stored one and Redis does not reply
     */
    public Uni<Owner> load(String text) {
        return Uni.createFrom().deferred(() -> {
            var identity = configured.find(text);
            return identity != null
                    ? enricher.load(identity, null, null).map(Owner::new)
                    : stored.loadKey(Sha256.hex(text)).map(this::owner);
        });
    }

    private Owner owner(KeyResult result) {
        var key = result.key();
        if (key == null) {
            return Owner.NONE;
        }
        stored.recordUse(key);
        var caller = key.caller();
        return new Owner(new Identity(key.identifier(), Identity.Source.API_KEY, caller.tier(), caller.chain()));
    }

    /**
     * Returns whether a text must not be forwarded, because it is a key or was one: a configured key; a text of the form of those
     * that Sluice generates, also where no keys are stored; or a stored key in the cache, as every key is that has just identified a
     * caller. Does not read Redis.
     */
    public boolean isKey(String text) {
        return configured.isKey(text)
                || text.length() >= MIN_KEY_LENGTH && (text.startsWith(KEY_PREFIX)
                        || stored.mayHaveKey(text) && stored.isCachedKey(Sha256.hex(text)));
    }

    /** Owners of the keys of one request. Not thread-safe. */
    public final class RequestOwners {

        private final Map<String, Owner> loaded = new HashMap<>();
        private final Set<String> missing = new LinkedHashSet<>();

        private RequestOwners() {
        }

        /** Returns the owner of a key; {@link Owner#NONE} too if it is {@linkplain #isComplete missing}. */
        public Owner find(String text) {
            var known = loaded.get(text);
            var owner = known != null ? known : ApiKeyResolver.this.find(text);
            if (owner == null) {
                missing.add(text);
                return Owner.NONE;
            }
            return owner;
        }

        /** Returns whether there are any keys. */
        public boolean hasKeys() {
            return ApiKeyResolver.this.hasKeys();
        }

        /** Returns whether the owners of all keys that were asked for are known; if not, they are to be {@linkplain #load read}. */
        public boolean isComplete() {
            return missing.isEmpty();
        }

        /** Reads the missing owners from Redis; fails as {@link ApiKeyResolver#load} does. */
        public Uni<Void> load() {
            var reads = missing.stream()
                    .map(text -> ApiKeyResolver.this.load(text).invoke(owner -> loaded.put(text, owner))).toList();
            missing.clear();
            return Uni.join().all(reads).andFailFast().replaceWithVoid();
        }
    }

    /** Returns an empty collection of the owners of one request's keys. */
    public RequestOwners newRequestOwners() {
        return new RequestOwners();
    }
}
