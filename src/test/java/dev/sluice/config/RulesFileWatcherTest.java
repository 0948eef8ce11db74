package dev.sluice.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RulesFileWatcherTest {

    @TempDir
    Path folder;

    private Path file;
    private RulesFileWatcher watcher;
    private final List<String> applied = new ArrayList<>();

    @BeforeEach
    void start() throws IOException {
        file = folder.resolve("rows.yaml");
        Files.writeString(file, "default: 1/s");
        watcher = new RulesFileWatcher(file, FileSnapshot.capture(file), this::apply);
    }

    private List<String> apply(RulesDocument document) {
        var problems = new ConfigProblems();
        var text = document.root().string("default", problems).orElse("nothing");
        if (text.equals("bad")) {
            return List.of("bad is bad");
        }
        if (text.equals("fault")) {
            throw new NoClassDefFoundError("on purpose");
        }
        applied.add(text);
        return List.of();
    }

    private void poll(int times) {
        for (int i = 0; i < times; i++) {
            watcher.poll();
        }
    }

    @Test
    void contentOfTwoConsecutivePollsIsAppliedOnce() throws IOException {
        poll(3);
        assertThat(applied).isEmpty();
        Files.writeString(file, "default: 2/s");
        poll(1);
        assertThat(applied).isEmpty();
        poll(4);
        assertThat(applied).containsExactly("2/s");
    }

    @Test
    void incompleteFileIsNotApplied() throws IOException {
        Files.writeString(file, "default: 2");
        poll(1);
        Files.writeString(file, "default: 20/s");
        poll(1);
        assertThat(applied).isEmpty();
        poll(1);
        assertThat(applied).containsExactly("20/s");
    }

    @Test
    void invalidFileIsReportedUntilItIsValid() throws IOException {
        assertThat(watcher.status().valid()).isTrue();
        Files.writeString(file, "default: bad");
        poll(2);
        assertThat(watcher.status().valid()).isFalse();
        assertThat(watcher.status().problem()).isEqualTo("bad is bad");
        Files.writeString(file, "default: [");
        poll(2);
        assertThat(watcher.status().problem()).contains("invalid YAML");
        Files.delete(file);
        poll(2);
        assertThat(watcher.status().problem()).contains("no such file");
        Files.writeString(file, "x".repeat((1 << 20) + 1));
        poll(2);
        assertThat(watcher.status().problem()).contains("larger than 1 MB");
        assertThat(applied).isEmpty();
        Files.writeString(file, "default: 1/s");
        poll(2);
        assertThat(watcher.status().valid()).isTrue();
        assertThat(watcher.status().problem()).isNull();
    }

    @Test
    void directoryIsRejected() throws IOException {
        assertThat(FileSnapshot.capture(folder)).isEqualTo(FileSnapshot.capture(folder));
        Files.delete(file);
        Files.createDirectory(file);
        poll(2);
        assertThat(watcher.status().problem()).contains("not a regular file");
    }

    @Test
    void swappedSymbolicLinksAreFollowed() throws IOException {
        var first = Files.createDirectory(folder.resolve("..2024_01"));
        var second = Files.createDirectory(folder.resolve("..2024_02"));
        Files.writeString(first.resolve("r.yaml"), "default: 1/s");
        Files.writeString(second.resolve("r.yaml"), "default: 2/s");
        Files.createSymbolicLink(folder.resolve("..data"), first.getFileName());
        var link = Files.createSymbolicLink(folder.resolve("r.yaml"), Path.of("..data/r.yaml"));
        watcher = new RulesFileWatcher(link, FileSnapshot.capture(link), this::apply);
        poll(2);
        Files.createSymbolicLink(folder.resolve("..data_tmp"), second.getFileName());
        Files.move(folder.resolve("..data_tmp"), folder.resolve("..data"), StandardCopyOption.ATOMIC_MOVE);
        poll(2);
        assertThat(applied).containsExactly("2/s");
    }

    @Test
    void errorIsReportedAndPollingContinues() throws IOException {
        Files.writeString(file, "default: fault");
        poll(2);
        assertThat(watcher.status().valid()).isFalse();
        assertThat(watcher.status().problem()).contains("NoClassDefFoundError");
        Files.writeString(file, "default: 3/s");
        poll(2);
        assertThat(applied).containsExactly("3/s");
        assertThat(watcher.status().valid()).isTrue();
    }
}
