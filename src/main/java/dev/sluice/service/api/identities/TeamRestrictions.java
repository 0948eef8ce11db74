package dev.sluice.service.api.identities;

import java.util.List;
import java.util.Objects;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.directory.IdentityKind;
import dev.sluice.directory.IdentityStore;
import dev.sluice.directory.StoredIdentity;
import dev.sluice.service.token.AdminAccess;
import io.smallrye.mutiny.Uni;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/**
 * Restricts admin tokens of a team to the team's keys and members. Identities of others are not found, so that their names cannot be
 * guessed.
 */
@ApplicationScoped
class TeamRestrictions {

    /** Fields of a team that limit it, and are therefore not its own to change. */
    private static final List<String> PROTECTED = List.of("org", "limits", "models");

    private final IdentityStore store;

    TeamRestrictions(IdentityStore store) {
        this.store = store;
    }

    /**
     * Requires that a token may see an identity.
     *
     * @param identity null if it does not exist
     * @return the identity
     */
    static StoredIdentity requireVisible(AdminAccess access, IdentityKind kind, StoredIdentity identity) {
        if (identity == null || !isVisible(access, kind, identity)) {
            throw IdentityErrors.notFound(kind);
        }
        return identity;
    }

    private static boolean isVisible(AdminAccess access, IdentityKind kind, StoredIdentity identity) {
        return access.team() == null || switch (kind) {
            case KEY -> access.team().equals(identity.document().getValue("team"));
            case USER -> teams(identity.document()).contains(access.team());
            case TEAM -> access.team().equals(identity.name());
            case ORG -> false;
        };
    }

    private static JsonArray teams(JsonObject user) {
        return user.getJsonArray("teams", new JsonArray());
    }

    /** Returns whether a token may see what an identity has used: that of a user is of other teams too. */
    static boolean isUsageVisible(AdminAccess access, IdentityKind kind) {
        return access.team() == null || kind != IdentityKind.USER;
    }

    /** Requires that a token may see organisations. */
    static void requireUnrestricted(AdminAccess access) {
        if (access.team() != null) {
            throw IdentityErrors.beyondTeam("Organisations belong to no team");
        }
    }

    /** Adds the team of a token to a new key that names none. */
    static void completeKey(AdminAccess access, JsonObject key) {
        if (access.team() != null && !key.containsKey("team")) {
            key.put("team", access.team());
        }
    }

    /** Returns whether a token may create identities: not where it would learn by that which names of others exist. */
    static boolean mayCreate(AdminAccess access, IdentityKind kind) {
        return access.team() == null || kind != IdentityKind.USER && kind != IdentityKind.TEAM;
    }

    /**
     * Requires that a token may make a change.
     *
     * @param before identity before; null if it does not exist
     * @param after document after; null if it is deleted
     * @return the document after
     */
    Uni<JsonObject> requireChange(AdminAccess access, IdentityKind kind, String name, StoredIdentity before, JsonObject after) {
        if (access.team() == null) {
            return Uni.createFrom().item(after);
        }
        switch (kind) {
            case KEY -> {
                return requireKey(access, before, after);
            }
            case USER -> requireMember(access, before, after);
            case TEAM -> requireOwnTeam(access, name, before, after);
            case ORG -> requireUnrestricted(access);
        }
        return Uni.createFrom().item(after);
    }

    private Uni<JsonObject> requireKey(AdminAccess access, StoredIdentity before, JsonObject after) {
        if (after != null && !access.team().equals(after.getValue("team"))) {
            throw IdentityErrors.beyondTeam("/team", "A key of another team, or of none");
        }
        var user = after == null ? null : after.getString("user");
        if (user == null || before != null && user.equals(before.document().getString("user"))) {
            return Uni.createFrom().item(after);
        }
        // A key acts as its user: it must not act as a user of another team.
        return store.find(IdentityKind.USER, user).map(owner -> {
            if (owner == null || !isVisible(access, IdentityKind.USER, owner)) {
                throw IdentityErrors.beyondTeam("/user", "The user is no member of the team");
            }
            return after;
        });
    }

    private static void requireMember(AdminAccess access, StoredIdentity before, JsonObject after) {
        var only = new JsonArray().add(access.team());
        if (!teams(before.document()).equals(only)) {
            throw IdentityErrors.beyondTeam("The user is a member of other teams too");
        }
        if (after != null && !teams(after).equals(only)) {
            throw IdentityErrors.beyondTeam("/teams", "A member of other teams, or of none");
        }
    }

    private static void requireOwnTeam(AdminAccess access, String name, StoredIdentity before, JsonObject after) {
        if (!access.team().equals(name) || after == null) {
            throw IdentityErrors.beyondTeam("Teams cannot be deleted");
        }
        for (var field : PROTECTED) {
            if (!Objects.equals(before.document().getValue(field), after.getValue(field))) {
                throw IdentityErrors.beyondTeam('/' + field, "The field limits the team");
            }
        }
    }
}
