package dev.sluice.identity;

import java.util.Map;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;

import dev.sluice.config.ConfigProblems;
import dev.sluice.config.RulesChanged;
import dev.sluice.config.RulesDocument;
import dev.sluice.config.RulesFile;

/** The API keys of the settings and of the file of rows, by their hashes: the keys themselves are nowhere. */
@ApplicationScoped
public class ApiKeyRegistry {

    /** Where callers put a key. */
    public static final String HEADER = "X-API-Key";

    private static final int MOST_STRANGERS = 1000;
    private static final int LONGEST_STRANGER = 100;

    private final IdentityConfig settings;
    private final ConfigProblems problems;
    private volatile Map<String, Identity> byHash;
    /** Texts that are no keys. */
    private final Cache<String, Boolean> strangers = Caffeine.newBuilder().executor(Runnable::run).maximumSize(MOST_STRANGERS)
            .build();

    ApiKeyRegistry(IdentityConfig settings, RulesFile file) {
        this.settings = settings;
        this.problems = file.initialDocument().newProblems();
        this.byHash = read(file.initialDocument(), problems);
    }

    private Map<String, Identity> read(RulesDocument file, ConfigProblems found) {
        return new ApiKeyConfigReader(found).read(settings.apiKeys(), file);
    }

    /** Whether any is configured. */
    public boolean hasKeys() {
        return !byHash.isEmpty();
    }

    public int count() {
        return byHash.size();
    }

    /** Whose key this is; null where it is nobody's. */
    public Identity find(String key) {
        var now = byHash;
        return now.isEmpty() ? null : now.get(Sha256.hex(key));
    }

    /**
     * Whether this is a key. For what comes with every call and is none, such as the name of a program: that is remembered, and
     * hashed once.
     */
    public boolean isKey(String text) {
        if (byHash.isEmpty()) {
            return false;
        }
        if (text.length() > LONGEST_STRANGER) {
            return find(text) != null;
        }
        if (strangers.getIfPresent(text) != null) {
            return false;
        }
        var known = byHash;
        boolean key = find(text) != null;
        if (!key) {
            strangers.put(text, Boolean.TRUE);
            if (known != byHash) {
                strangers.invalidate(text); // keys have changed meanwhile
            }
        }
        return key;
    }

    void validate(@Observes ConfigProblems all) {
        all.addAll(problems);
    }

    void change(@Observes RulesChanged change) {
        var found = change.document().newProblems();
        var read = read(change.document(), found);
        change.addProblems(found);
        change.onAccepted(() -> {
            byHash = read;
            strangers.invalidateAll();
        });
    }
}
