package dev.sluice.service.api.identities;

import java.util.HashSet;
import java.util.Locale;
import java.util.Set;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import dev.sluice.config.ConfigProblems;
import dev.sluice.config.RulesChanged;
import dev.sluice.config.RulesDocument;
import dev.sluice.config.RulesFile;
import dev.sluice.identity.IdentityConfig;

/** Keys of the settings and the rules file, which cannot be changed over HTTP. Thread-safe. */
@ApplicationScoped
public class ConfiguredKeys {

    private record Snapshot(Set<String> ids, Set<String> hashes) {
    }

    private final IdentityConfig config;
    private volatile Snapshot keys;

    ConfiguredKeys(IdentityConfig config, RulesFile file) {
        this.config = config;
        this.keys = read(file.initialDocument());
    }

    private Snapshot read(RulesDocument file) {
        var ids = new HashSet<String>();
        var hashes = new HashSet<String>();
        var ignored = new ConfigProblems(); // ApiKeyRegistry reports them
        var inFile = file.root().entries("api-keys", ignored);
        inFile.forEach((id, node) -> {
            ids.add(id);
            node.string("sha256", ignored).ifPresent(hash -> hashes.add(normalized(hash)));
        });
        config.apiKeys().forEach((id, key) -> {
            if (ids.add(id)) { // a key of the same id in the file replaces it
                key.sha256().ifPresent(hash -> hashes.add(normalized(hash)));
            }
        });
        return new Snapshot(Set.copyOf(ids), Set.copyOf(hashes));
    }

    private static String normalized(String hash) {
        return hash.strip().toLowerCase(Locale.ROOT);
    }

    void onRulesChanged(@Observes RulesChanged change) {
        var updated = read(change.document());
        change.onAccepted(() -> keys = updated);
    }

    /** Returns whether a hash, in lower-case hexadecimal, is that of a configured key. */
    public boolean hasHash(String hash) {
        return keys.hashes().contains(hash);
    }

    /** Returns whether an id is that of a configured key. */
    public boolean hasId(String id) {
        return keys.ids().contains(id);
    }

    /** Requires that a key is not a configured one. */
    void requireChangeable(String id) {
        if (hasId(id)) {
            throw IdentityErrors.conflict("The key is set in rate-limit.api-keys, and can only be changed there");
        }
    }
}
