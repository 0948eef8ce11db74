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
    private RulesFileWatcher watch;
    private final List<String> taken = new ArrayList<>();

    @BeforeEach
    void start() throws IOException {
        file = folder.resolve("rows.yaml");
        Files.writeString(file, "default: 1/s");
        watch = new RulesFileWatcher(file, FileSnapshot.capture(file), this::take);
    }

    private List<String> take(RulesDocument content) {
        var problems = new ConfigProblems();
        var text = content.root().string("default", problems).orElse("nothing");
        if (text.equals("bad")) {
            return List.of("bad is bad");
        }
        if (text.equals("fault")) {
            throw new NoClassDefFoundError("on purpose");
        }
        taken.add(text);
        return List.of();
    }

    private void look(int times) {
        for (int i = 0; i < times; i++) {
            watch.poll();
        }
    }

    @Test
    void whatTwoLooksShowAlikeIsTakenOnce() throws IOException {
        look(3);
        assertThat(taken).isEmpty();
        Files.writeString(file, "default: 2/s");
        look(1);
        assertThat(taken).isEmpty();
        look(4);
        assertThat(taken).containsExactly("2/s");
    }

    @Test
    void fileThatIsBeingWrittenIsWaitedFor() throws IOException {
        Files.writeString(file, "default: 2");
        look(1);
        Files.writeString(file, "default: 20/s");
        look(1);
        assertThat(taken).isEmpty();
        look(1);
        assertThat(taken).containsExactly("20/s");
    }

    @Test
    void badFileIsReportedUntilThereIsAGoodOne() throws IOException {
        assertThat(watch.status().valid()).isTrue();
        Files.writeString(file, "default: bad");
        look(2);
        assertThat(watch.status().valid()).isFalse();
        assertThat(watch.status().problem()).isEqualTo("bad is bad");
        Files.writeString(file, "default: [");
        look(2);
        assertThat(watch.status().problem()).contains("invalid YAML");
        Files.delete(file);
        look(2);
        assertThat(watch.status().problem()).contains("no such file");
        Files.writeString(file, "x".repeat((1 << 20) + 1));
        look(2);
        assertThat(watch.status().problem()).contains("larger than 1 MB");
        assertThat(taken).isEmpty();
        Files.writeString(file, "default: 1/s");
        look(2);
        assertThat(watch.status().valid()).isTrue();
        assertThat(watch.status().problem()).isNull();
    }

    @Test
    void folderIsNoFile() throws IOException {
        assertThat(FileSnapshot.capture(folder).sameAs(FileSnapshot.capture(folder))).isTrue();
        Files.delete(file);
        Files.createDirectory(file);
        look(2);
        assertThat(watch.status().problem()).contains("not a regular file");
    }

    @Test
    void linksThatAreSwappedAreFollowed() throws IOException {
        var first = Files.createDirectory(folder.resolve("..2024_01"));
        var second = Files.createDirectory(folder.resolve("..2024_02"));
        Files.writeString(first.resolve("r.yaml"), "default: 1/s");
        Files.writeString(second.resolve("r.yaml"), "default: 2/s");
        Files.createSymbolicLink(folder.resolve("..data"), first.getFileName());
        var link = Files.createSymbolicLink(folder.resolve("r.yaml"), Path.of("..data/r.yaml"));
        watch = new RulesFileWatcher(link, FileSnapshot.capture(link), this::take);
        look(2);
        Files.createSymbolicLink(folder.resolve("..data_tmp"), second.getFileName());
        Files.move(folder.resolve("..data_tmp"), folder.resolve("..data"), StandardCopyOption.ATOMIC_MOVE);
        look(2);
        assertThat(taken).containsExactly("2/s");
    }

    @Test
    void errorIsAProblemAndTheWatchGoesOn() throws IOException {
        Files.writeString(file, "default: fault");
        look(2);
        assertThat(watch.status().valid()).isFalse();
        assertThat(watch.status().problem()).contains("NoClassDefFoundError");
        Files.writeString(file, "default: 3/s");
        look(2);
        assertThat(taken).containsExactly("3/s");
        assertThat(watch.status().valid()).isTrue();
    }
}
