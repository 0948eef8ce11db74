package dev.sluice.service.api.identities;

import java.util.List;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.directory.IdentityKind;
import dev.sluice.directory.IdentityQuery;
import dev.sluice.directory.IdentityStore;
import dev.sluice.directory.StoredIdentity;
import dev.sluice.service.api.identities.IdentityEditor.Edited;
import dev.sluice.service.api.identities.IdentityEditor.Target;
import dev.sluice.service.token.AdminAccess;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** Deletes identities; on request with what refers to them, page by page. */
@ApplicationScoped
class IdentityDeletion {

    private static final int PAGE = 200;
    private static final int CONCURRENT = 16;
    /** Keys may be added to a team, or teams to an organisation, while theirs are deleted. */
    private static final int MAX_ROUNDS = 20;

    private final IdentityStore store;
    private final IdentityEditor editor;
    private final TeamRestrictions restrictions;

    IdentityDeletion(IdentityStore store, IdentityEditor editor, TeamRestrictions restrictions) {
        this.store = store;
        this.editor = editor;
        this.restrictions = restrictions;
    }

    /**
     * Deletes an identity.
     *
     * @param cascade whether the keys of a team are deleted too, and the teams of an organisation lose it
     */
    Uni<Edited> delete(Target target, boolean cascade) {
        return cascade ? delete(target, MAX_ROUNDS) : deleteAlone(target);
    }

    private Uni<Edited> deleteAlone(Target target) {
        return editor.edit(target,
                current -> restrictions.requireChange(target.access(), target.kind(), target.name(), current, null));
    }

    private Uni<Edited> delete(Target target, int rounds) {
        return deleteAlone(target).onFailure(IdentityInUseException.class).recoverWithUni(inUse -> rounds == 0
                ? Uni.createFrom().failure(inUse)
                : detachAll(target, null).flatMap(done -> delete(target, rounds - 1)));
    }

    private Uni<Void> detachAll(Target target, String after) {
        boolean team = target.kind() == IdentityKind.TEAM;
        var query = new IdentityQuery(team ? IdentityKind.KEY : IdentityKind.TEAM, null, team ? target.name() : null,
                team ? null : target.name(), null, "", PAGE, after);
        return store.list(query).flatMap(page -> record(target, page.identities())
                .flatMap(recorded -> Multi.createFrom().iterable(page.identities())
                        .onItem().transformToUni(identity -> detach(target, identity)).merge(CONCURRENT).collect().last())
                .flatMap(done -> page.next() == null ? Uni.createFrom().voidItem() : detachAll(target, page.next())));
    }

    /**
     * Records what is about to be detached in one entry of the audit log: an entry for each would push all others out. Afterwards it
     * might fail, and leave changes without an entry; so an entry may have what another request changes, or what a failure leaves.
     */
    private Uni<Void> record(Target parent, List<StoredIdentity> detached) {
        boolean team = parent.kind() == IdentityKind.TEAM;
        return detached.isEmpty()
                ? Uni.createFrom().voidItem()
                : store.record(new JsonObject().put("token", parent.access().token())
                        .put("action", team ? "key.delete" : "team.update")
                        .put("subject", parent.kind().identifier(parent.name()))
                        .put("changed", new JsonArray(team ? List.of() : List.of("/org")))
                        .put("subjects", new JsonArray(detached.stream()
                                .map(identity -> identity.kind().identifier(identity.name())).toList())));
    }

    /** Deletes a key of the team, or removes a team from the organisation, unless that has happened meanwhile. */
    private Uni<Void> detach(Target parent, StoredIdentity identity) {
        AdminAccess access = parent.access();
        var target = new Target(identity.kind(), identity.name(), Precondition.NONE, access, false, Target.UNRECORDED);
        var field = parent.kind().label();
        return editor.edit(target, current -> {
            if (current == null || !parent.name().equals(current.document().getString(field))) {
                return Uni.createFrom().failure(new AlreadyDetachedException());
            }
            var document = current.document().copy();
            document.remove(field);
            return Uni.createFrom().item(identity.kind() == IdentityKind.KEY ? (JsonObject) null : document);
        }).replaceWithVoid().onFailure(AlreadyDetachedException.class).recoverWithNull();
    }

    /** Signals that nothing is left to do. */
    private static final class AlreadyDetachedException extends RuntimeException {

        private static final long serialVersionUID = 1;

        AlreadyDetachedException() {
            super("Detached by another request", null, false, false);
        }
    }
}
