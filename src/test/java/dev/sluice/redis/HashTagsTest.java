package dev.sluice.redis;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.stream.Collectors;

import org.junit.jupiter.api.Test;

class HashTagsTest {

    /** Returns 1,024 identifiers with the same hash code. */
    private static List<String> collisions() {
        var all = List.of("");
        for (int i = 0; i < 10; i++) {
            var longer = new ArrayList<String>();
            all.forEach(text -> longer.addAll(List.of(text + "Aa", text + "BB")));
            all = longer;
        }
        return all;
    }

    @Test
    void callersCannotChooseTheSlotIfThereIsAKey() {
        var open = new HashTags("sluice");
        assertThat(collisions().stream().map(open::tag).collect(Collectors.toSet())).as("without a key").hasSize(1);
        var keyed = new HashTags("sluice", "a secret of all instances");
        assertThat(collisions().stream().map(keyed::tag).collect(Collectors.toSet())).hasSizeGreaterThan(200);
    }

    @Test
    void instancesOfOneKeyAgreeAndOthersDoNot() {
        var one = new HashTags("sluice", "a");
        var same = new HashTags("sluice", "a");
        var other = new HashTags("sluice", "b");
        assertThat(collisions()).allMatch(identifier -> one.keyPrefix(identifier).equals(same.keyPrefix(identifier)));
        assertThat(collisions()).anyMatch(identifier -> one.tag(identifier) != other.tag(identifier));
    }

    @Test
    void identifiersOfOneDomainHaveOneTag() {
        for (var tags : List.of(new HashTags("sluice"), new HashTags("sluice", "secret"))) {
            var domains = new HashSet<Integer>();
            for (int i = 0; i < 50; i++) {
                assertThat(tags.tag("rls:edge:path=/" + i)).isEqualTo(tags.tag("rls:edge:remote_address=192.0.2.1"));
                domains.add(tags.tag("rls:edge" + i + ":a=1"));
            }
            assertThat(domains).hasSizeGreaterThan(30);
        }
    }

    /** The windows of a chain are in the slot of its root, whatever characters the names have. */
    @Test
    void identifiersOfAChainHaveTheTagOfItsRoot() {
        var tags = new HashTags("sluice", "secret");
        for (var root : List.of("org:acme", "user:https://idp/7", "user:chain:3:abc", "team:rls:x", "key:1")) {
            for (var identifier : List.of("user:alice", "user:a:b/c", "chain:9:x", "user:" + "x".repeat(251))) {
                var stored = HashTags.inSlotOf(root, identifier);
                assertThat(tags.tag(stored)).isEqualTo(tags.tag(root));
                assertThat(HashTags.withoutRoot(stored)).isEqualTo(identifier);
                assertThat(HashTags.rootOf(stored)).isEqualTo(root);
            }
            assertThat(HashTags.inSlotOf(root, root)).isEqualTo(root);
        }
    }

    @Test
    void otherIdentifiersAreThemselves() {
        for (var identifier : List.of("chain:", "chain:x:y", "chain:5:ab", "chain:-1:abc", "chain:9999:abc", "chain:2:ab",
                "user:a",
                "chain::a", "chain:1")) {
            assertThat(HashTags.withoutRoot(identifier)).isEqualTo(identifier);
            assertThat(HashTags.rootOf(identifier)).isNull();
        }
    }
}
