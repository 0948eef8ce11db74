package dev.sluice.identity;

import java.util.Map;
import java.util.Optional;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import org.jspecify.annotations.Nullable;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;

import dev.sluice.config.ConfigProblems;
import dev.sluice.config.RulesChanged;
import dev.sluice.config.RulesDocument;
import dev.sluice.config.RulesFile;

/** Registry of API keys from the configuration and the rules file. Stores hashes only, never the keys. Thread-safe. */
@ApplicationScoped
public class ApiKeyRegistry {

    /** Request header that carries an API key. */
    public static final String HEADER = "X-API-Key";

    private static final int MAX_CACHED_UNKNOWN = 1000;
    private static final int MAX_CACHED_LENGTH = 100;

    private final IdentityConfig config;
    private final ConfigProblems problems;
    private volatile Map<String, Identity> byHash;
    /** Negative cache of texts that are not keys. */
    private final Cache<String, Boolean> unknownTexts = Caffeine.newBuilder().executor(Runnable::run)
            .maximumSize(MAX_CACHED_UNKNOWN)
            .build();

    ApiKeyRegistry(IdentityConfig config, RulesFile file) {
        this.config = config;
        this.problems = file.initialDocument().newProblems();
        this.byHash = read(file.initialDocument(), problems);
    }

    private Map<String, Identity> read(RulesDocument file, ConfigProblems target) {
        return new ApiKeyConfigReader(target).read(config.apiKeys(), file);
    }

    /** Returns whether any key is configured. */
    public boolean hasKeys() {
        return !byHash.isEmpty();
    }

    /** Returns the number of keys. */
    public int count() {
        return byHash.size();
    }

    /** Returns the identity of a key; null if the key is unknown. */
    public @Nullable Identity find(String key) {
        var current = byHash;
        return current.isEmpty() ? null : current.get(Sha256.hex(key));
    }

    /** Returns the tier of the keys of an identifier; null if it has none, or if they have different tiers. */
    public @Nullable String tier(String identifier) {
        var tiers = byHash.values().stream().filter(key -> key.identifier().equals(identifier))
                .map(key -> Optional.ofNullable(key.tier())).distinct().limit(2).toList();
        return tiers.size() == 1 ? tiers.get(0).orElse(null) : null;
    }

    /**
     * Returns whether a text is a key. For texts that recur with every request and usually are not keys, such as the provider
     * key or a program's name: unknown texts of up to {@value #MAX_CACHED_LENGTH} characters are cached, so each is hashed once.
     */
    public boolean isKey(String text) {
        if (byHash.isEmpty()) {
            return false;
        }
        if (text.length() > MAX_CACHED_LENGTH) {
            return find(text) != null;
        }
        if (unknownTexts.getIfPresent(text) != null) {
            return false;
        }
        var hashesBefore = byHash;
        boolean isKey = find(text) != null;
        if (!isKey) {
            unknownTexts.put(text, Boolean.TRUE);
            if (hashesBefore != byHash) {
                unknownTexts.invalidate(text); // the keys have been reloaded meanwhile
            }
        }
        return isKey;
    }

    void validate(@Observes ConfigProblems all) {
        all.addAll(problems);
    }

    void onRulesChanged(@Observes RulesChanged change) {
        var found = change.document().newProblems();
        var updated = read(change.document(), found);
        change.addProblems(found);
        change.onAccepted(() -> {
            byHash = updated;
            unknownTexts.invalidateAll();
        });
    }
}
