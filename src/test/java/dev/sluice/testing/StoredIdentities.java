package dev.sluice.testing;

import java.util.ArrayList;
import java.util.List;

import jakarta.enterprise.context.Dependent;

import dev.sluice.directory.IdentityKind;
import dev.sluice.directory.IdentityStore;
import dev.sluice.directory.IdentityWrite;
import dev.sluice.directory.WriteResult;
import dev.sluice.directory.cache.CallerDirectory;
import dev.sluice.identity.Sha256;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** Identities of one test, which are deleted after it: the Redis of an application under test has those of other tests too. */
@Dependent
public class StoredIdentities implements AutoCloseable {

    private record Stored(IdentityKind kind, String name) {
    }

    private final IdentityStore store;
    private final CallerDirectory directory;
    private final List<Stored> stored = new ArrayList<>();

    public StoredIdentities(IdentityStore store, CallerDirectory directory) {
        this.store = store;
        this.directory = directory;
    }

    /** Stores an identity, and waits until the application knows that there are some of its kind. */
    public StoredIdentities put(IdentityKind kind, String name, JsonObject document) {
        write(kind, name, document);
        stored.add(0, new Stored(kind, name));
        Polling.await().until(() -> isNoticed(kind));
        return this;
    }

    private boolean isNoticed(IdentityKind kind) {
        var absent = "nobody-" + System.nanoTime();
        return switch (kind) { // a name is looked up only if there are any of its kind
            case KEY -> directory.hasKeys();
            case USER -> directory.findCaller(absent, null, null) == null;
            case TEAM -> directory.findCaller(null, absent, null) == null;
            case ORG -> directory.findCaller(null, null, absent) == null;
        };
    }

    /** Stores a key. */
    public StoredIdentities putKey(String id, String text, JsonObject document) {
        return put(IdentityKind.KEY, id, document.put("hashes",
                new JsonArray().add(new JsonObject().put("sha256", Sha256.hex(text)))));
    }

    public WriteResult write(IdentityKind kind, String name, JsonObject document) {
        return store.write(new IdentityWrite(kind, name, IdentityWrite.ANY_REVISION, document, new JsonObject())).await()
                .indefinitely();
    }

    public static JsonObject limits(String api) {
        return new JsonObject().put("api", api);
    }

    /** Deletes the identities, and waits until the application knows. */
    @Override
    public void close() {
        if (stored.isEmpty()) {
            return;
        }
        stored.forEach(identity -> write(identity.kind(), identity.name(), null));
        stored.clear();
        for (var kind : IdentityKind.values()) {
            Polling.await().until(() -> !isNoticed(kind));
        }
    }
}
