package dev.sluice.service.api.identities;

import java.time.Instant;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;

import jakarta.enterprise.context.ApplicationScoped;

import org.jboss.logging.Logger;

import dev.sluice.directory.IdentityKind;
import dev.sluice.directory.IdentityStore;
import dev.sluice.directory.IdentityWrite;
import dev.sluice.directory.StoredIdentity;
import dev.sluice.directory.WriteResult;
import dev.sluice.http.RequestRefusedException;
import dev.sluice.service.api.identities.document.ChangedFields;
import dev.sluice.service.api.identities.document.DocumentFields;
import dev.sluice.service.api.identities.document.KeyHashes;
import dev.sluice.service.token.AdminAccess;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import io.vertx.core.shareddata.Lock;

/**
 * Changes identities: reads, computes the new document and writes it if nothing has changed meanwhile; otherwise starts over. Changes
 * of one identity on this instance take turns, so that only those of other instances compete. No change is lost. Each change has its entry in the audit log. Thread-safe; completes where the store does.
 */
@ApplicationScoped
class IdentityEditor {

    private static final Logger LOG = Logger.getLogger(IdentityEditor.class);
    /** Of changes of several instances at the same time, one succeeds in each round. */
    private static final int MAX_ATTEMPTS = 50;

    private static final long MAX_WAIT_MILLIS = 30_000;
    private static final String LOCK = "sluice-identity-";

    private final IdentityStore store;
    private final Vertx vertx;

    IdentityEditor(IdentityStore store, Vertx vertx) {
        this.store = store;
        this.vertx = vertx;
    }

    /**
     * Change of one identity.
     *
     * @param kind its kind
     * @param name its name
     * @param condition what the current state must fulfil
     * @param access token that makes the change
     * @param mustExist whether an identity that does not exist is not found
     * @param action action in the audit log: {@code key.rotate}; null for create, update and delete, {@link #UNRECORDED} for none
     */
    record Target(IdentityKind kind, String name, Precondition condition, AdminAccess access, boolean mustExist,
            String action) {

        /** Action of a change that is recorded with others. */
        static final String UNRECORDED = "";

        Target(IdentityKind kind, String name, Precondition condition, AdminAccess access, boolean mustExist) {
            this(kind, name, condition, access, mustExist, null);
        }
    }

    /**
     * Result of a change.
     *
     * @param before the identity before; null if it did not exist
     * @param after the identity after; null if it does not exist any more
     */
    record Edited(StoredIdentity before, StoredIdentity after) {
    }

    /**
     * Changes an identity.
     *
     * @param change receives the identity, or null if it does not exist, and returns the new document; null deletes the identity.
     *        Called again after a change by another request. Fields that the service maintains are added
     */
    Uni<Edited> edit(Target target, Function<StoredIdentity, Uni<JsonObject>> change) {
        return lock(target).flatMap(lock -> attempt(target, change, MAX_ATTEMPTS).onTermination().invoke(lock::release));
    }

    private Uni<Lock> lock(Target target) {
        return Uni.createFrom().emitter(emitter -> {
            var ended = new AtomicBoolean();
            emitter.onTermination(() -> ended.set(true));
            vertx.sharedData().getLocalLockWithTimeout(LOCK + target.kind().identifier(target.name()), MAX_WAIT_MILLIS)
                    .onFailure(timeout -> emitter.fail(tooManyChanges())).onSuccess(lock -> {
                        if (ended.get()) { // the request was cancelled while it waited
                            lock.release();
                        } else {
                            emitter.complete(lock);
                        }
                    });
        });
    }

    private static RequestRefusedException tooManyChanges() {
        return IdentityErrors.conflict("Too many changes at the same time; try again");
    }

    private Uni<Edited> attempt(Target target, Function<StoredIdentity, Uni<JsonObject>> change, int attempts) {
        return store.find(target.kind(), target.name()).flatMap(current -> {
            if (current != null || target.mustExist() || !TeamRestrictions.mayCreate(target.access(), target.kind())) {
                TeamRestrictions.requireVisible(target.access(), target.kind(), current);
            }
            target.condition().require(current);
            return change.apply(current).flatMap(document -> {
                if (current != null && document != null && isSame(target.kind(), current.document(), document)) {
                    return Uni.createFrom().item(new Edited(current, current));
                }
                return store.write(write(target, current, document)).flatMap(result -> switch (result.status()) {
                    case DONE -> Uni.createFrom().item(new Edited(current, result.stored()));
                    case REVISION_MISMATCH -> attempts > 1 ? attempt(target, change, attempts - 1) : failed(result);
                    default -> failed(result);
                });
            });
        });
    }

    private static Uni<Edited> failed(WriteResult result) {
        return Uni.createFrom().failure(switch (result.status()) {
            case IN_USE -> new IdentityInUseException();
            case HASH_IN_USE -> IdentityErrors.conflict("Another key has the same hash");
            default -> tooManyChanges();
        });
    }

    /** Returns whether two versions of a record have equal settings; for keys, also equal key texts. */
    private static boolean isSame(IdentityKind kind, JsonObject before, JsonObject after) {
        return Objects.equals(before.getValue(KeyHashes.FIELD), after.getValue(KeyHashes.FIELD))
                && DocumentFields.writable(kind).stream()
                        .allMatch(field -> Objects.equals(before.getValue(field), after.getValue(field)));
    }

    private static IdentityWrite write(Target target, StoredIdentity current, JsonObject document) {
        var before = current == null ? new JsonObject() : current.document();
        if (document != null) {
            var now = Instant.ofEpochMilli(Instant.now().toEpochMilli()).toString();
            document.put("created_at", before.getString("created_at", now)).put("updated_at", now);
            document.remove("last_used_at");
        }
        var verb = current == null ? "create" : document == null ? "delete" : "update";
        var audit = new JsonObject().put("token", target.access().token())
                .put("action", target.action() == null ? target.kind().label() + '.' + verb : target.action())
                .put("subject", target.kind().identifier(target.name()))
                .put("changed", ChangedFields.between(before, document == null ? new JsonObject() : document));
        LOG.debugf("Changes an identity: subject=%s changed=%s", audit.getString("subject"), audit.getValue("changed"));
        return new IdentityWrite(target.kind(), target.name(), current == null ? 0 : current.revision(), document,
                Target.UNRECORDED.equals(target.action()) ? null : audit, null);
    }
}
