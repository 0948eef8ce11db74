package dev.sluice.service.api.identities;

import java.time.Duration;
import java.time.Instant;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.directory.IdentityKind;
import dev.sluice.directory.IdentityStore;
import dev.sluice.directory.StoredIdentity;
import dev.sluice.service.api.BadRequestException;
import dev.sluice.service.api.identities.IdentityEditor.Target;
import dev.sluice.service.api.identities.document.DocumentValidator;
import dev.sluice.service.api.identities.document.JsonPointers;
import dev.sluice.service.api.identities.document.KeyHashes;
import dev.sluice.service.api.identities.document.KeyText;
import dev.sluice.service.token.AdminAccess;
import io.smallrye.mutiny.Uni;
import io.vertx.core.json.JsonObject;

/** Creates keys, and gives them new texts. The text of a key is in the result, and nowhere else. */
@ApplicationScoped
class KeyEditor {

    private static final int MAX_GRACE_DAYS = 30;
    private static final long MAX_GRACE_SECONDS = Duration.ofDays(MAX_GRACE_DAYS).toSeconds();
    private static final String GRACE = "grace_seconds";

    private final IdentityStore store;
    private final IdentityEditor editor;
    private final DocumentValidator validator;
    private final TeamRestrictions restrictions;

    KeyEditor(IdentityStore store, IdentityEditor editor, DocumentValidator validator, TeamRestrictions restrictions) {
        this.store = store;
        this.editor = editor;
        this.validator = validator;
        this.restrictions = restrictions;
    }

    /**
     * Key with a new text.
     *
     * @param key the key as stored
     * @param text its text, which cannot be read again
     */
    record NewText(StoredIdentity key, String text) {

        @Override
        public String toString() {
            return "NewText[key=" + key.name() + ']';
        }
    }

    /** Creates a key. */
    Uni<NewText> create(AdminAccess access, JsonObject request) {
        var document = validator.create(IdentityKind.KEY, request);
        TeamRestrictions.completeKey(access, document);
        var text = KeyText.random();
        document.put("prefix", KeyText.shownPrefix(text)).put(KeyHashes.FIELD, KeyHashes.of(text));
        var onlyCreate = new Precondition(false, null, true);
        return store.newKeyId()
                .flatMap(id -> editor.edit(new Target(IdentityKind.KEY, id, onlyCreate, access, false),
                        current -> restrictions.requireChange(access, IdentityKind.KEY, id, current, document.copy())))
                .map(edited -> new NewText(edited.after(), text));
    }

    /**
     * Gives a key a new text. Earlier texts stay valid for the grace period of the request.
     *
     * @param request {@code {"grace_seconds":3600}}; may be empty
     */
    Uni<NewText> rotate(AdminAccess access, String id, Precondition condition, JsonObject request) {
        var grace = Duration.ofSeconds(graceSeconds(request));
        var text = KeyText.random();
        return editor.edit(new Target(IdentityKind.KEY, id, condition, access, true, "key.rotate"), current -> {
            var now = Instant.ofEpochSecond(Instant.now().getEpochSecond());
            var document = current.document().copy().put("prefix", KeyText.shownPrefix(text));
            document.put(KeyHashes.FIELD,
                    KeyHashes.rotate(document.getJsonArray(KeyHashes.FIELD), text, now, now.plus(grace)));
            return restrictions.requireChange(access, IdentityKind.KEY, id, current, document);
        }).map(edited -> new NewText(edited.after(), text));
    }

    private static long graceSeconds(JsonObject request) {
        for (var name : request.fieldNames()) {
            if (!name.equals(GRACE)) {
                throw BadRequestException.forField(JsonPointers.member("", name), "Unknown field; allowed: " + GRACE);
            }
        }
        var value = request.getValue(GRACE, 0);
        if (value instanceof Integer seconds && seconds >= 0 && seconds <= MAX_GRACE_SECONDS) {
            return seconds;
        }
        throw BadRequestException.forField('/' + GRACE, GRACE + " must be a whole number from 0 to " + MAX_GRACE_SECONDS + ", "
                + MAX_GRACE_DAYS + " days");
    }
}
