package dev.sluice.identity;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Optional;

import org.junit.jupiter.api.Test;

import dev.sluice.config.RulesDocuments;

class ApiKeyConfigReaderTest {

    private record Key(Optional<String> sha256, Optional<String> user, Optional<String> tier) implements IdentityConfig.ApiKey {

        Key(String sha256, String user) {
            this(Optional.ofNullable(sha256), Optional.ofNullable(user), Optional.empty());
        }
    }

    private static final Map<String, IdentityConfig.ApiKey> CONFIGURED = Map.of("alice",
            new Key(Sha256.hex("a"), "alice"), "bob",
            new Key(Sha256.hex("b"), "bob"));

    @Test
    void keyOfTheFileReplacesConfiguredKeyOfTheSameId() {
        var file = RulesDocuments.of("api-keys:\n  alice: {sha256: " + Sha256.hex("new") + ", user: alice, tier: pro}\n"
                + "  carol: {sha256: " + Sha256.hex("c") + ", user: carol}\n");
        var problems = file.newProblems();
        var keys = new ApiKeyConfigReader(problems).read(CONFIGURED, file);
        assertThat(problems.lines()).isEmpty();
        assertThat(keys).containsOnlyKeys(Sha256.hex("new"), Sha256.hex("b"), Sha256.hex("c"));
        assertThat(keys.get(Sha256.hex("new")).tier()).isEqualTo("pro");
    }

    @Test
    void problemsNameTheKeyAndHideHashes() {
        var file = RulesDocuments
                .of("api-keys:\n  x:\n    sha256: the-key-itself\n    user: ''\n    tiers: pro\n  y: {user: y}\n  z: {sha256: "
                        + Sha256.hex("b") + ", user: z}\n");
        var problems = file.newProblems();
        new ApiKeyConfigReader(problems).read(CONFIGURED, file);
        assertThat(problems.lines()).anyMatch(line -> line.startsWith("rows.yaml:3: api-keys.x.sha256=(not shown): "))
                .anyMatch(line -> line.startsWith("rows.yaml:4: api-keys.x.user="))
                .anyMatch(line -> line.startsWith("rows.yaml:5: api-keys.x.tiers=(not shown): an unknown key"))
                .anyMatch(line -> line.contains("api-keys.y.sha256"))
                .anyMatch(line -> line.startsWith("rows.yaml:1: api-keys=(not shown): each key must have a hash of its own"));
        assertThat(problems.lines().toString()).doesNotContain("the-key-itself").doesNotContain(Sha256.hex("b"));
    }

    @Test
    void missingValuesAreReportedTogether() {
        var file = RulesDocuments.of("{}");
        var problems = file.newProblems();
        var keys = new ApiKeyConfigReader(problems).read(Map.of("a", new Key(null, "a"), "b", new Key(Sha256.hex("b"), null)),
                file);
        assertThat(keys).isEmpty();
        assertThat(problems.lines()).containsExactlyInAnyOrder(
                "rate-limit.api-keys.a.sha256=: missing; must be the SHA-256 of the key, 64 hexadecimal digits",
                "rate-limit.api-keys.b.user=: missing; must be the name of a user");
    }
}
