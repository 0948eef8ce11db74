package dev.sluice.service.api.identities;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

import dev.sluice.directory.IdentityKind;
import dev.sluice.directory.StoredIdentity;
import io.vertx.core.MultiMap;
import io.vertx.core.json.JsonObject;

class PreconditionTest {

    private static StoredIdentity team(String updatedAt) {
        return new StoredIdentity(IdentityKind.TEAM, "growth", 12, new JsonObject().put("updated_at", updatedAt));
    }

    /** A failover has lost the change that was read, and another one has its number. */
    @Test
    void tagOfALostRevisionDoesNotMatchThatOfAnotherWithItsNumber() {
        var read = Precondition.entityTag(team("2026-11-30T10:00:00.001Z"));
        var condition = Precondition.of(MultiMap.caseInsensitiveMultiMap().add("If-Match", read));
        assertThatCode(() -> condition.require(team("2026-11-30T10:00:00.001Z"))).doesNotThrowAnyException();
        assertThatThrownBy(() -> condition.require(team("2026-11-30T10:00:00.002Z"))).hasMessageContaining("If-Match");
    }
}
