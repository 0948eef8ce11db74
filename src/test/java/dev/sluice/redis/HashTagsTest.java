package dev.sluice.redis;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
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
}
