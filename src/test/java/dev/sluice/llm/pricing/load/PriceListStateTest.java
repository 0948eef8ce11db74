package dev.sluice.llm.pricing.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.llm.pricing.PriceList;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;

class PriceListStateTest {

    private static final Instant NOW = Instant.parse("2026-11-29T12:00:00Z");
    private static final String ROW = "{\"provider\":\"openai\",\"model\":\"a\",\"input\":\"1\",\"output\":\"2\"}";
    private static final int MAX_BYTES = 1000;

    @TempDir
    private Path folder;
    private Path path;
    private PriceFile file;
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final List<PriceList> loaded = new ArrayList<>();

    @BeforeEach
    void create() throws IOException {
        path = folder.resolve("prices.json");
        write("{\"prices\":[" + ROW + "]}");
        file = new PriceFile(path, MAX_BYTES);
    }

    /** The time of each content differs, however fast the test is. */
    private void write(String content) throws IOException {
        Files.writeString(path, content);
        Files.setLastModifiedTime(path, FileTime.from(NOW.plusSeconds(content.hashCode())));
    }

    private PriceListState state(Callable<byte[]> content) {
        return new PriceListState("prices.json", content, Clock.fixed(NOW, ZoneOffset.UTC), meters, loaded::add);
    }

    private double loads(String outcome) {
        return meters.get("llm_price_list_loads").tag("outcome", outcome).counter().count();
    }

    @Test
    void badListLeavesTheLastGoodOneInForceAndIsReported() throws Exception {
        var state = state(file::read);
        assertThat(state.status()).isEqualTo(new PriceListStatus("prices.json", null, 0, 0, List.of(), null, null));
        assertThat(meters.get("llm_price_list_valid").gauge().value()).isZero();
        assertThat(state.load()).isTrue();
        var good = state.list();
        assertThat(good.rows()).isEqualTo(1);
        assertThat(state.status()).isEqualTo(new PriceListStatus("prices.json", NOW, 1, 0, List.of(), null, null));
        assertThat(meters.get("llm_price_list_valid").gauge().value()).isEqualTo(1);

        write("{\"prices\":[" + ROW);
        assertThat(state.load()).isFalse();
        assertThat(state.list()).isSameAs(good);
        assertThat(state.status().problem()).startsWith("not complete JSON");
        assertThat(state.status().loadedAt()).isEqualTo(NOW);
        assertThat(state.status().failedAt()).isEqualTo(NOW);
        assertThat(state.status().rows()).isEqualTo(1);
        assertThat(meters.get("llm_price_list_valid").gauge().value()).isZero();
        assertThat(loads("loaded")).isEqualTo(1);
        assertThat(loads("failed")).isEqualTo(1);

        write("{\"prices\":[" + ROW + ",{}]}");
        assertThat(state.load()).isTrue();
        assertThat(state.status().problem()).isNull();
        assertThat(state.status().skippedRows()).isEqualTo(1);
        assertThat(meters.get("llm_price_list_skipped_rows").gauge().value()).isEqualTo(1);
        assertThat(loaded).containsExactly(good, state.list());
    }

    @Test
    void unexpectedFailureIsReportedWithoutItsMessage() {
        var state = state(() -> {
            throw new IllegalStateException("secret");
        });
        assertThat(state.load()).isFalse();
        assertThat(state.status().problem()).isEqualTo("IllegalStateException");
        assertThat(state.list()).isSameAs(PriceList.NONE);
        assertThat(loaded).isEmpty();
    }

    @Test
    void fileOfAtMostTheMaximumSizeIsRead() throws IOException {
        write("x".repeat(MAX_BYTES));
        assertThat(file.read()).hasSize(MAX_BYTES);
        write("x".repeat(MAX_BYTES + 1));
        assertThatThrownBy(file::read).isInstanceOf(IOException.class).hasMessage("larger than 1000 bytes");
    }

    @Test
    void listOfFiftyMegabytesIsReportedAndNotBelieved() throws IOException {
        var large = folder.resolve("large.json");
        try (var writer = Files.newBufferedWriter(large, StandardCharsets.US_ASCII)) {
            writer.write("{\"prices\":[" + ROW);
            var padding = "," + ROW.replace("\"a\"", "\"" + "b".repeat(100) + "\"");
            for (long written = 0; written < 50_000_000; written += padding.length()) {
                writer.write(padding);
            }
            writer.write("]}");
        }
        var state = state(new PriceFile(large, PriceLists.MAX_BYTES)::read);
        assertThat(state.load()).isFalse();
        assertThat(state.status().problem()).isEqualTo("larger than 16777216 bytes");
        assertThat(state.list()).isSameAs(PriceList.NONE);
    }

    @Test
    void missingFileAndDirectoryAreReported() throws IOException {
        Files.delete(path);
        assertThatThrownBy(file::read).hasMessage("no such file");
        Files.createDirectory(path);
        assertThatThrownBy(file::read).hasMessage("not a regular file");
    }

    @Test
    void changeIsSeenOnceAfterTwoPolls() throws IOException {
        assertThat(file.pollChange()).isFalse();
        write("1");
        assertThat(file.pollChange()).isFalse();
        assertThat(file.pollChange()).isTrue();
        assertThat(file.pollChange()).isFalse();
        write("2");
        assertThat(file.pollChange()).isFalse();
        write("3");
        assertThat(file.pollChange()).isFalse();
        assertThat(file.pollChange()).isTrue();
    }

    /** As Kubernetes replaces a volume: the content changes although the name stays the link. */
    @Test
    void swappedLinkIsAChange() throws IOException {
        var other = folder.resolve("other.json");
        Files.writeString(other, "{\"prices\":[" + ROW + "]}");
        Files.setLastModifiedTime(other, Files.getLastModifiedTime(path));
        var link = Files.createSymbolicLink(folder.resolve("link.json"), path);
        var linked = new PriceFile(link, MAX_BYTES);
        Files.delete(link);
        Files.createSymbolicLink(link, other);
        assertThat(linked.pollChange()).isFalse();
        assertThat(linked.pollChange()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"/etc/prices.json, /etc/prices.json", "prices.json, prices.json",
            "https://a.example/p.json, https://a.example/p.json",
            "HTTPS://a.example:8443/, https://a.example:8443/",
            "https://user:secret@a.example/p.json?token=secret#x, https://a.example/p.json"})
    void locationIsDescribedWithoutCredentials(String text, String description) {
        assertThat(PriceListLocation.parse(text).describe()).isEqualTo(description);
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://a.example/p.json", "ftp://a/p", "file:///etc/p.json", "https://", "https:///p.json",
            "https://a b/secret", "https://user:secret@/p", "https://a.example:70000/", "a\0b"})
    void otherLocationsAreRejected(String text) {
        assertThatThrownBy(() -> PriceListLocation.parse(text)).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("must be the path of a file, or an https URL");
    }
}
