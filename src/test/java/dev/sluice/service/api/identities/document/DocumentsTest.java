package dev.sluice.service.api.identities.document;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.directory.IdentityNames;
import dev.sluice.identity.Sha256;
import dev.sluice.service.api.BadRequestException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** Merge patches, strict JSON, differences and hashes of keys. */
class DocumentsTest {

    private static final Instant NOW = Instant.parse("2026-11-30T10:00:00Z");

    /** The examples of RFC 7396, appendix A, whose target and result are objects. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\0', value = {"{\"a\":\"b\"}|{\"a\":\"c\"}|{\"a\":\"c\"}",
            "{\"a\":\"b\"}|{\"b\":\"c\"}|{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":\"b\"}|{\"a\":null}|{}",
            "{\"a\":\"b\",\"b\":\"c\"}|{\"a\":null}|{\"b\":\"c\"}", "{\"a\":[\"b\"]}|{\"a\":\"c\"}|{\"a\":\"c\"}",
            "{\"a\":\"c\"}|{\"a\":[\"b\"]}|{\"a\":[\"b\"]}",
            "{\"a\":{\"b\":\"c\"}}|{\"a\":{\"b\":\"d\",\"c\":null}}|{\"a\":{\"b\":\"d\"}}",
            "{\"a\":[{\"b\":\"c\"}]}|{\"a\":[1]}|{\"a\":[1]}", "{\"e\":null}|{\"a\":1}|{\"e\":null,\"a\":1}",
            "{}|{\"a\":{\"bb\":{\"ccc\":null}}}|{\"a\":{\"bb\":{}}}"})
    void patchesAreMerged(String target, String patch, String result) {
        var before = new JsonObject(target);
        assertThat(MergePatch.apply(before, new JsonObject(patch))).isEqualTo(new JsonObject(result));
        assertThat(before).isEqualTo(new JsonObject(target));
    }

    @Test
    void changedFieldsAreListed() {
        var before = new JsonObject("{\"a\":1,\"l\":{\"x\":{\"y\":\"1\"},\"z\":\"2\"},\"updated_at\":1,\"hashes\":[1]}");
        var after = new JsonObject("{\"a\":1,\"l\":{\"x\":{\"y\":\"9\"},\"z\":\"2\"},\"n\":{\"k/~\":[1]},\"updated_at\":2}");
        assertThat(ChangedFields.between(before, after)).isEqualTo(new JsonArray(List.of("/l/x/y", "/n/k~1~0")));
        assertThat(ChangedFields.between(before, before)).isEqualTo(new JsonArray());
        var many = new JsonObject();
        IntStream.range(0, 1000).forEach(i -> many.put("k" + i, i));
        assertThat(ChangedFields.between(new JsonObject(), new JsonObject().put("metadata", many)))
                .isEqualTo(new JsonArray(List.of("/metadata")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "null", "[]", "1", "{\"a\":1,\"a\":1}", "{\"a\":1} x", "{'a':1}", "{\"a\":NaN}", "{\"a\":01}",
            "{\"a\":\"\\ud800\"}", "{\"\\ude00\":1}", "{\"a\":1e400}", "{\"a\":1e-999999999}", "{\"a\":\"\t\"}"})
    void otherJsonIsRefused(String json) {
        assertThatThrownBy(() -> StrictJson.read(json.getBytes(StandardCharsets.UTF_8)))
                .isInstanceOf(BadRequestException.class);
    }

    @Test
    void deepJsonIsRefused() {
        for (int depth : new int[]{StrictJson.MAX_DEPTH, 100_000}) {
            var json = "{\"a\":" + "[".repeat(depth) + "]".repeat(depth) + "}";
            assertThatThrownBy(() -> StrictJson.read(json.getBytes(StandardCharsets.UTF_8)))
                    .isInstanceOf(BadRequestException.class);
        }
        var deepest = "{\"a\":" + "[".repeat(StrictJson.MAX_DEPTH - 1) + "]".repeat(StrictJson.MAX_DEPTH - 1) + "}";
        assertThat(StrictJson.read(deepest.getBytes(StandardCharsets.UTF_8))).isEqualTo(new JsonObject(deepest));
        assertThat(StrictJson.readLine(("{\"d\":" + deepest + '}').getBytes(StandardCharsets.UTF_8))).isNotNull();
        assertThatThrownBy(() -> StrictJson.read(new byte[]{'{', '"', (byte) 0xC0, (byte) 0x80, '"', ':', '1', '}'}))
                .isInstanceOf(BadRequestException.class);
    }

    @Test
    void earlierTextsEndWithTheGracePeriod() {
        var first = KeyHashes.of("one");
        var second = KeyHashes.rotate(first, "two", NOW, NOW.plusSeconds(60));
        assertThat(second).isEqualTo(new JsonArray().add(new JsonObject().put("sha256", Sha256.hex("two")))
                .add(new JsonObject().put("sha256", Sha256.hex("one")).put("expires_at", "2026-11-30T10:01:00Z")));
        var third = KeyHashes.rotate(second, "three", NOW.plusSeconds(30), NOW.plusSeconds(3630));
        assertThat(third.getJsonObject(1).getString("sha256")).isEqualTo(Sha256.hex("two"));
        assertThat(third.getJsonObject(1).getString("expires_at")).isEqualTo("2026-11-30T11:00:30Z");
        assertThat(third.getJsonObject(2).getString("expires_at")).isEqualTo("2026-11-30T10:01:00Z");
        assertThat(KeyHashes.rotate(third, "four", NOW.plusSeconds(60), NOW.plusSeconds(120))).hasSize(3);
        assertThat(KeyHashes.rotate(third, "four", NOW, NOW)).hasSize(1);
        assertThat(KeyHashes.read(third, "")).isEqualTo(third);
    }

    @Test
    void fewTextsAreValidAtTheSameTime() {
        var hashes = KeyHashes.of("0");
        for (int i = 1; i < 20; i++) {
            hashes = KeyHashes.rotate(hashes, Integer.toString(i), NOW.plusSeconds(i), NOW.plusSeconds(1000 + i));
        }
        assertThat(hashes).hasSize(KeyHashes.MAX_HASHES);
        assertThat(hashes.stream().map(hash -> ((JsonObject) hash).getString("sha256"))).containsExactly(Sha256.hex("19"),
                Sha256.hex("18"), Sha256.hex("17"), Sha256.hex("16"), Sha256.hex("15"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "é", "🦊", "a b", "a.b", "...", "-", "\"", "%2F", "a\\b", "中文", "نام"})
    void namesAreVisible(String name) {
        assertThat(IdentityNames.isValid(name)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", " a", "a ", "\u00a0a", "a/b", ".", "..", "a\nb", "\u0000", "a\u200bb", "a\u202eb",
            "\ud800",
            "a\udc00", "\ue000", "\ufffd", "\u2028", "\ufeffa", "a\u00ad",
            "\u3164", "a\u115fb", "\u1160", "\uffa0", "\u2800", "a\ufe0f", "a\u034f", "a\u17b4", "a\u180b", "a\u2067b",
            "a\u2060b",
            "a\u00a0b", "a\u2003b", "a\u3000b", "a\udb40\udc41", "a\udb40\udd00", "\ud834\udd59"})
    void invisibleNamesAreRefused(String name) {
        assertThat(IdentityNames.isValid(name)).isFalse();
    }
}
